"""Batches as tuples, and back."""

import pytest

from scratchnet.utils import pack_x_y_sample_weight, unpack_x_y_sample_weight


@pytest.mark.parametrize(
    ("given", "packed"),
    [((1,), 1), ((1, 2), (1, 2)), ((1, 2, 3), (1, 2, 3)), (([1, 2],), ([1, 2],)), (([1], 2), ([1], 2))],
)
def test_there_and_back(given, packed):
    assert pack_x_y_sample_weight(*given) == packed
    assert unpack_x_y_sample_weight(packed) == (*given, *[None] * (3 - len(given)))


def test_too_many_entries_are_refused():
    with pytest.raises(ValueError, match="got 4 entries"):
        unpack_x_y_sample_weight((1, 2, 3, 4))
