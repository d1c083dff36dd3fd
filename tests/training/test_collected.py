"""Pieces of arrays, from several threads in any order, lie in their places."""

import numpy as np
import pytest

from scratchnet.training.collected import Collected


def pieces(dtype="float32"):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(10, 3)).astype(dtype), rng.integers(0, 9, (10, 2, 2))]


def test_they_may_come_in_any_order_and_are_seen_where_they_lie():
    arrays, collected = pieces(), Collected(10)
    for first, rows in ((4, 3), (0, 4), (7, 3)):
        there = collected.put(first, [array[first : first + rows] for array in arrays], rows)
        for place, array in zip(there, arrays):
            np.testing.assert_array_equal(place, array[first : first + rows])
    whole = collected.hand_over(10)
    for found, place, array in zip(whole, there, arrays):
        assert found.flags.owndata and found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)
        assert np.may_share_memory(found, place)


def test_of_those_that_have_not_all_come_there_is_a_copy_of_the_first():
    arrays, collected = pieces(), Collected(10)
    collected.put(0, [array[:6] for array in arrays], 6)
    for found, array in zip(collected.hand_over(4), arrays):
        assert found.flags.owndata
        np.testing.assert_array_equal(found, array[:4])


@pytest.mark.parametrize(
    "odd",
    [
        np.zeros((4, 2), "float32"),  # another shape
        np.zeros((3, 3), "float32"),  # other rows
        np.zeros((4, 3), "float64"),
        np.zeros((), "float32"),
    ],
)
def test_what_is_not_rows_of_the_same_array_stays_where_it_is(odd):
    collected = Collected(10)
    collected.put(0, [np.ones((6, 3), "float32")], 6)
    assert collected.put(6, [odd], 4)[0] is odd
    assert collected.hand_over(10) is None


def test_where_nothing_has_come_there_is_nothing():
    assert Collected(10).hand_over(0) is None
