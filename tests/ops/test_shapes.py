"""The same numbers in other shapes, orders and neighbourhoods: NumPy's, and the adjoints of copies."""

import numpy as np
import pytest

from scratchnet import ops

X = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("reshape", ((4, -1),)),
        ("reshape", ([6, 4],)),
        ("reshape", (24,)),
        ("ravel", ()),
        ("expand_dims", (1,)),
        ("expand_dims", ((0, -1),)),
        ("squeeze", ()),
        ("transpose", ()),
        ("transpose", ((1, 2, 0),)),
        ("swapaxes", (0, -1)),
        ("moveaxis", (0, 2)),
        ("moveaxis", ((0, 1), (-1, 0))),
        ("broadcast_to", ((5, 2, 3, 4),)),
        ("flip", ()),
        ("flip", ((0, 2),)),
        ("fliplr", ()),
        ("flipud", ()),
        ("roll", (5,)),
        ("roll", ((1, -2), (0, 2))),
        ("rot90", ()),
        ("rot90", (-1, (1, 2))),
        ("tile", (2,)),
        ("tile", ((2, 1, 3),)),
        ("tile", ((2, 1, 1, 2),)),
        ("repeat", (2,)),
        ("repeat", ([1, 0, 2], 1)),
        ("pad", (((1, 2), (0, 1), (0, 0)),)),
        ("pad", (1, "edge")),
        ("pad", ((1, 1), "reflect")),
        ("pad", (2, "symmetric")),
    ],
)
def test_values_are_numpy_s(name, args):
    numpy_args = [tuple(a) if isinstance(a, list) and name == "reshape" else a for a in args]
    np.testing.assert_array_equal(getattr(ops, name)(X, *args), getattr(np, name)(X, *numpy_args))


@pytest.mark.parametrize("name", ["vstack", "hstack", "dstack"])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4)])
def test_stacks_are_numpy_s(name, shape):
    xs = [np.full(shape, 1.0), np.full(shape, 2.0)]
    np.testing.assert_array_equal(getattr(ops, name)(xs), getattr(np, name)(xs))


def test_concatenate_stack_and_append():
    np.testing.assert_array_equal(ops.concatenate([X, X[:, :1]], axis=1), np.concatenate([X, X[:, :1]], axis=1))
    np.testing.assert_array_equal(ops.stack([X, X], axis=-1), np.stack([X, X], axis=-1))
    np.testing.assert_array_equal(ops.stack([1, 2]), [1, 2])
    np.testing.assert_array_equal(ops.append(X, [5.0]), np.append(X, [5.0]))
    np.testing.assert_array_equal(ops.append(X, X, axis=0), np.append(X, X, axis=0))


@pytest.mark.parametrize("indexing", ["xy", "ij"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_grids_are_numpy_s(indexing, count):
    axes = [np.arange(2.0), np.arange(3.0), np.arange(4.0)][:count]
    for grid, expected in zip(ops.meshgrid(*axes, indexing=indexing), np.meshgrid(*axes, indexing=indexing)):
        np.testing.assert_array_equal(grid, expected)
    with pytest.raises(ValueError, match="indexing='ji'"):
        ops.meshgrid(*axes, indexing="ji")


def test_constant_padding_with_a_value():
    np.testing.assert_array_equal(ops.pad([1.0], 1, constant_values=7.0), [7, 1, 7])
    with pytest.raises(ValueError, match="mode='mean'"):
        ops.pad(X, 1, "mean")
    with pytest.raises(ValueError, match="constant_values=1"):
        ops.pad(X, 1, "edge", constant_values=1)


def test_a_copy_collects_the_adjoints_of_all_copies():
    _, kept = ops.tile.forward([np.ones(2)], {"repeats": (3, 2)}, [True])
    np.testing.assert_array_equal(ops.tile.backward(np.arange(12.0).reshape(3, 4), kept)[0], [30, 36])


def test_what_can_be_asked_of_a_shape():
    assert ops.shape(X) == (2, 3, 4) and ops.ndim(X) == 3 and ops.size(X) == 24 and ops.size(1.0) == 1
    assert ops.shape([[1, 2]]) == (1, 2) and ops.dtype(X) == "float64" and ops.dtype([1]) == "int32"


def test_results_are_no_views_that_change_the_input_of_others():
    x = np.zeros((2, 2))
    ops.copy(x)[0, 0] = 1
    assert x[0, 0] == 0


@pytest.mark.parametrize("block_size", [0, 1, -2, 1.5])
def test_blocks_of_pixels_have_a_size(block_size):
    for function in (ops.depth_to_space, ops.space_to_depth):
        with pytest.raises(ValueError, match=f"{function.__name__}: block_size must be an integer of at least 2"):
            function(np.ones((1, 4, 4, 4)), block_size)


def test_no_size_is_less_than_minus_one():
    with pytest.raises(ValueError, match="a size is less than -1"):
        ops.reshape(np.zeros(6), (-2, 3))


def test_blocks_of_pixels_with_channels_first():
    x = np.arange(2 * 8 * 2 * 3).reshape(2, 8, 2, 3)
    z = ops.depth_to_space(x, 2, "channels_first")
    assert z.shape == (2, 2, 4, 6)
    np.testing.assert_array_equal(z[:, :, 1::2, 0::2], x[:, 2::4])  # row 1, column 0 of each block
    np.testing.assert_array_equal(ops.space_to_depth(z, 2, "channels_first"), x)
    with pytest.raises(ValueError, match="data_format must be"):
        ops.depth_to_space(x, 2, "NCHW")
