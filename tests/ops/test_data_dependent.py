"""Results whose size depends on values."""

import numpy as np
import pytest

from scratchnet import layers, ops
from scratchnet.models import Model


def test_nonzero():
    assert [p.tolist() for p in ops.nonzero([[0, 2], [3, 0]])] == [[0, 1], [1, 0]]


def test_unique_elements():
    x = [3, 1, 3, 2]
    assert ops.unique(x).tolist() == [1, 2, 3]
    values, index, inverse, counts = ops.unique(x, return_index=True, return_inverse=True, return_counts=True)
    assert [index.tolist(), inverse.tolist(), counts.tolist()] == [[1, 3, 0], [2, 0, 2, 1], [1, 1, 2]]
    assert ops.unique(x, size=2).tolist() == [1, 2]
    assert ops.unique(x, size=5).tolist() == [1, 2, 3, 1, 1] and ops.unique(x, size=4, fill_value=9).tolist()[-1] == 9
    for size, seen in ((2, [1, 2]), (3, [1, 2, 1]), (5, [1, 2, 1, 0, 0])):
        assert ops.unique([2, 3, 1, 2], size=size, return_counts=True)[1].tolist() == seen
    assert ops.unique([[1, 2], [1, 2], [0, 1]], axis=0).tolist() == [[0, 1], [1, 2]]


def test_counts():
    assert ops.bincount([1, 3, 1]).tolist() == [0, 2, 0, 1]
    assert ops.bincount([1, 3, 1], minlength=6).tolist() == [0, 2, 0, 1, 0, 0]
    assert ops.bincount([1, 1], weights=[0.5, 2.0]).tolist() == [0, 2.5]
    assert ops.bincount([[1, 1], [0, 2]]).tolist() == [[0, 2, 0], [1, 0, 1]]
    counts, bounds = ops.histogram([0.0, 1.0, 1.0, 2.0], bins=2)
    assert counts.tolist() == [1, 3] and bounds.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="sparse=True"):
        ops.bincount([1], sparse=True)


def test_places_of_counted_elements():
    assert [p.tolist() for p in ops.unravel_index([0, 5, -1], (2, 3))] == [[0, 1, 1], [0, 2, 2]]


class Symbol:
    def __scratchnet_operation__(self, operation, operands, options):
        raise AssertionError("must not be asked")


@pytest.mark.parametrize("name", ["nonzero", "unique", "bincount"])
def test_they_cannot_be_traced(name):
    with pytest.raises(TypeError, match=f"{name}: the size of the result depends on values"):
        getattr(ops, name)(Symbol())


def test_a_histogram_is_of_numbers_in_a_row():
    with pytest.raises(ValueError, match=r"histogram: x must have one axis, got the shape \(2, 2\)"):
        ops.histogram([[1.0, 2.0], [3.0, 4.0]])


def test_counts_and_bounds_of_a_histogram_can_be_traced():
    x = layers.Input(())
    array = np.random.default_rng(0).normal(size=20).astype("float32")
    model = Model(x, list(ops.histogram(x, 4, (-1, 1))))
    for found, expected in zip(model(array), np.histogram(array, 4, (-1, 1))):
        np.testing.assert_allclose(found, expected)
        assert found.dtype == "float32"


def test_no_two_nan_are_the_same_element():
    assert len(ops.unique([np.nan, 1.0, np.nan])) == 3
