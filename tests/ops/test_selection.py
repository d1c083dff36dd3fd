"""Choosing by conditions, slices and places; codes and sums by place."""

import numpy as np
import pytest

from scratchnet import layers, ops
from scratchnet.models import Model
from scratchnet.ops import selection

X = np.arange(24.0).reshape(2, 3, 4)


def test_where_and_select():
    c = X > 5
    np.testing.assert_array_equal(ops.where(c, X, 0.0), np.where(c, X, 0))
    np.testing.assert_array_equal(ops.where([1, 0], 1, 2.5), [1, 2.5])
    for places, expected in zip(ops.where(c), np.where(c)):
        np.testing.assert_array_equal(places, expected)
    with pytest.raises(ValueError, match="given both or not at all"):
        ops.where(c, X)
    np.testing.assert_array_equal(
        ops.select([X < 3, X < 9], [X, -X], default=7.0), np.select([X < 3, X < 9], [X, -X], 7.0)
    )


def test_a_choice_gives_all_of_the_adjoint_to_one():
    _, kept = selection._where.forward([np.array([True, False]), np.ones(2), np.ones(())], {}, [False, True, True])
    dx1, dx2 = selection._where.backward(np.array([3.0, 5.0]), kept)[1:]
    assert dx1.tolist() == [3, 0] and dx2.tolist() == 5


KEYS = [
    0,
    -1,
    slice(None, None, -1),
    (slice(None), 1),
    (Ellipsis, 0),
    (0, None, slice(1, 3)),
    np.array([1, 0, 1]),
    (slice(None), [0, 2]),
    X > 7,
    [1, 1],
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_keys_are_numpy_s(key):
    np.testing.assert_array_equal(ops.get_item(X, key), X[key])


def test_an_element_that_was_read_twice_collects_twice():
    _, kept = ops.get_item.forward([np.zeros(3)], {"key": [0, 0, 2]}, [True])
    assert ops.get_item.backward(np.ones(3), kept)[0].tolist() == [2, 0, 1]


def test_slices():
    np.testing.assert_array_equal(ops.slice(X, (0, 1, 2), (2, 1, -1)), X[:, 1:2, 2:])
    updated = ops.slice_update(X, (0, 1, 2), np.zeros((2, 1, 2)))
    assert updated[:, 1, 2:].sum() == 0 and updated.sum() == X.sum() - X[:, 1, 2:].sum() and X[0, 1, 2] == 6


@pytest.mark.parametrize(("parts", "axis"), [(2, 2), (3, 1), ([1, 3], -1), ([0, 2], 1), (np.array([1]), 0)])
def test_split_is_numpy_s(parts, axis):
    for part, expected in zip(ops.split(X, parts, axis), np.split(X, parts, axis)):
        np.testing.assert_array_equal(part, expected)


def test_split_wants_equal_parts_and_array_split_does_not():
    with pytest.raises(ValueError, match="axis 1 of size 3 makes no 2 equal parts"):
        ops.split(X, 2, 1)
    with pytest.raises(ValueError, match="makes no 0 equal parts"):
        ops.split(X, 0, 1)
    assert [part.shape for part in ops.split(np.ones((0, 3)), 2)] == [(0, 3)] * 2
    for part, expected in zip(ops.array_split(X, 3, 2), np.array_split(X, 3, 2)):
        np.testing.assert_array_equal(part, expected)
    for name, axis in (("vsplit", 0), ("hsplit", 1), ("dsplit", 2)):
        for part, expected in zip(getattr(ops, name)(X, [1]), np.split(X, [1], axis)):
            np.testing.assert_array_equal(part, expected)


def test_unstack():
    for k, part in enumerate(ops.unstack(X, 3, axis=1)):
        np.testing.assert_array_equal(part, X[:, k])
    with pytest.raises(ValueError, match="num=2, but axis 1 has the size 3"):
        ops.unstack(X, 2, axis=1)
    for axis in (X.ndim, -X.ndim - 1):
        with pytest.raises(ValueError, match=f"unstack: axis {axis} is not among the {X.ndim} axes"):
            ops.unstack(X, axis=axis)


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("indices", [1, [1, 0], [[0, 1], [1, 1]], [-1]])
def test_take_is_numpy_s(axis, indices):
    np.testing.assert_array_equal(ops.take(X, indices, axis), np.take(X, indices, axis))


def test_take_says_what_is_outside():
    with pytest.raises(ValueError, match="take: .*out of bounds"):
        ops.take(X, [5], 1)


@pytest.mark.parametrize("shape, of_indices", [((2, 3, 4), (1, 3, 1)), ((2, 3, 4), (1, 1, 2)), ((2, 1, 4), (2, 5, 2))])
def test_an_index_that_stands_for_several_rows_brings_back_the_adjoints_of_all(shape, of_indices):
    rng = np.random.default_rng(0)
    x, indices = rng.normal(size=shape), rng.integers(-4, 4, of_indices)
    z, kept = selection.take_along_axis.forward([x, indices], {"axis": -1}, [True, False])
    dz, direction = rng.normal(size=z.shape), rng.normal(size=shape)
    dx, _ = selection.take_along_axis.backward(dz, kept)
    # linear in x: <dz, f(direction)> = <f*(dz), direction>
    moved = ops.take_along_axis(direction, indices, -1)
    np.testing.assert_allclose(np.sum(dx * direction), np.sum(dz * moved), rtol=1e-12)


def test_of_a_segment_without_integers_the_largest_is_the_smallest_that_there_is():
    found = ops.segment_max(np.array([5, 7]), np.array([0, 2]), 3)
    assert found.tolist() == [5, np.iinfo(found.dtype).min, 7]


def test_take_along_axis():
    order = np.argsort(-X, axis=1)
    np.testing.assert_array_equal(ops.take_along_axis(X, order, 1), np.take_along_axis(X, order, 1))
    np.testing.assert_array_equal(ops.take_along_axis(X, [3, -1]), [3, 23])


def test_codes():
    np.testing.assert_array_equal(ops.one_hot([0, 2, 5, -1], 3), [[1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(ops.one_hot([0, 1], 2, axis=0, dtype="int32"), [[1, 0], [0, 1]])
    np.testing.assert_array_equal(ops.multi_hot([[0, 2], [1, 1]], 4), [[1, 0, 1, 0], [0, 1, 0, 0]])
    np.testing.assert_array_equal(ops.multi_hot([0, 2], 4), [1, 0, 1, 0])
    with pytest.raises(ValueError, match="sparse=True"):
        ops.one_hot([0], 2, sparse=True)


def test_scattering():
    np.testing.assert_array_equal(ops.scatter([[0], [2], [0]], [1.0, 2.0, 3.0], (4,)), [4, 0, 2, 0])
    x = np.array([5.0, 1.0, 3.0])
    for reduction, expected in ((None, [2, 1, 4]), ("add", [7, 1, 7]), ("max", [5, 1, 4]), ("min", [2, 1, 3])):
        np.testing.assert_array_equal(ops.scatter_update(x, [[0], [2]], [2.0, 4.0], reduction), expected)
    with pytest.raises(ValueError, match="reduction='mean'"):
        ops.scatter_update(x, [[0]], [2.0], "mean")


def test_segments():
    data, ids = np.array([1.0, 2.0, 3.0, 5.0]), [0, 2, 0, 2]
    np.testing.assert_array_equal(ops.segment_sum(data, ids), [4, 0, 7])
    np.testing.assert_array_equal(ops.segment_sum(data, ids, 5), [4, 0, 7, 0, 0])
    np.testing.assert_array_equal(ops.segment_max(data, ids), [3, -np.inf, 5])
    np.testing.assert_array_equal(ops.segment_min(data, ids), [1, np.inf, 2])
    np.testing.assert_array_equal(ops.segment_min(np.array([4]), [1]), [np.iinfo(np.int64).max, 4])
    np.testing.assert_array_equal(ops.segment_prod(data, ids, 4), [3, 1, 10, 1])


def test_rows_with_a_negative_number_are_in_no_segment():
    data, ids = np.array([1.0, 7.0, 3.0, 2.0]), np.array([0, -1, 1, 1])
    for reduce, found in (("sum", [1, 5]), ("max", [1, 3]), ("min", [1, 2]), ("prod", [1, 6])):
        np.testing.assert_array_equal(getattr(ops, f"segment_{reduce}")(data, ids), found)
    np.testing.assert_array_equal(ops.segment_sum(data, np.full(4, -2), 1), [0])


@pytest.mark.parametrize(("start", "sizes"), [((1, 1), (2, 2, 2)), ((0, 0, 0), (1, 1)), ((0, 0), (1, 1))])
def test_a_slice_says_something_of_each_axis(start, sizes):
    with pytest.raises(ValueError, match=f"slice: .*, got {len(start)} and {len(sizes)}"):
        ops.slice(X, start, sizes)


@pytest.mark.parametrize(
    ("start", "size", "first"), [((1, 3), (2, 2), (0, 2)), ((-1, -2), (1, 2), (1, 1)), ((5, -9), (2, 1), (0, 0))]
)
def test_a_block_that_would_reach_over_the_end_is_the_last_that_fits(start, size, first):
    x = np.arange(6.0).reshape(2, 3)
    block = tuple(slice(max(min(a, n - k), 0), max(min(a, n - k), 0) + k) for a, k, n in zip(first, size, x.shape))
    np.testing.assert_array_equal(ops.slice(x, start, size), x[block])
    np.testing.assert_array_equal(ops.slice(x, ops.array(start), ops.array(size)), x[block])
    expected = x.copy()
    expected[block] = -1
    np.testing.assert_array_equal(ops.slice_update(x, start, np.full(size, -1.0)), expected)


def test_a_block_larger_than_its_axis_is_refused():
    with pytest.raises(ValueError, match="slice: a block of 3 does not fit into an axis of 2; -1 is all that is left"):
        ops.slice(np.zeros((2, 3)), (0, 0), (3, 1))
    with pytest.raises(ValueError, match="slice_update: .*a block of 3 does not fit into an axis of 2"):
        ops.slice_update(np.zeros((2, 3)), (0, 0), np.zeros((3, 1)))


def test_a_block_may_be_as_long_as_an_axis_that_is_not_known():
    x, table = layers.Input((None, 2)), np.arange(20.0, dtype=np.float32).reshape(10, 2)
    model = Model(x, x + ops.slice(table, (0, 0), (ops.shape(x)[1], 2)))
    np.testing.assert_array_equal(model(np.zeros((3, 4, 2))), np.tile(table[:4], (3, 1, 1)))


def test_products_at_places():
    x = np.array([5.0, 1.0, 3.0])
    assert ops.scatter_update(x, [[0], [2], [0]], [2.0, 4.0, 3.0], "mul").tolist() == [30, 1, 12]
    assert ops.scatter_update(np.array([5, 1]), [[0]], np.array([2]), "mul").tolist() == [10, 1]


def test_parts_of_a_batch_between_places():
    x = layers.Input((3,))
    model = Model(x, ops.split(x, [1, 3]))
    array = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    for part, expected in zip(model(array), np.split(array, [1, 3])):
        np.testing.assert_array_equal(part, expected)
    for function in (ops.split, ops.array_split):
        with pytest.raises(ValueError, match=f"^{function.__name__}: the size of axis 0 .* is not known; give places"):
            function(x, 2)
