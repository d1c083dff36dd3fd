"""ReLU with its slopes, bounds and threshold; Softmax along any axis and with a mask."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer
from scratchnet.layers import ReLU, Softmax

X = np.random.default_rng(3).standard_normal((3, 4, 5)) * 2


@pytest.mark.parametrize(
    "options",
    [{}, {"max_value": 1.5}, {"negative_slope": 0.3}, {"threshold": 0.5}, {"max_value": 2.5, "threshold": 0.4}],
)
def test_relu(options):
    layer = ReLU(dtype="float64", **options)
    top, slope, threshold = (
        options.get(k, d) for k, d in (("max_value", np.inf), ("negative_slope", 0), ("threshold", 0))
    )
    expected = np.where(X >= threshold, np.minimum(X, top), slope * (X - threshold))
    np.testing.assert_allclose(layer(X), expected)
    check_layer(layer, X).raise_if_failed()
    assert ReLU.from_config(layer.get_config())(X).shape == X.shape


@pytest.mark.parametrize("axis", [-1, 1, [1, 2], 0, [0, -1]])
def test_softmax(axis):
    layer, axes = Softmax(axis, dtype="float64"), tuple(axis) if isinstance(axis, list) else axis
    np.testing.assert_allclose(layer(X).sum(axis=axes), 1)
    check_layer(layer, X).raise_if_failed()


@pytest.mark.parametrize("axis", [3, -4, [1, 3]])
def test_softmax_refuses_an_axis_that_there_is_not(axis):
    with pytest.raises(ValueError, match="is not an axis of inputs with 3 axes"):
        Softmax(axis)(X)


def test_what_is_masked_gets_nothing():
    mask = np.arange(5) < 3
    y = Softmax(dtype="float64")(X, mask=np.broadcast_to(mask, X.shape))
    assert (y[..., 3:] == 0).all()
    np.testing.assert_allclose(y.sum(axis=-1), 1)


def test_numbers_below_0_are_refused():
    with pytest.raises(ValueError, match="negative_slope"):
        ReLU(negative_slope=-1)


def test_where_nothing_may_softmax_is_0_and_learns_nothing():
    may = np.array([[1, 1, 0, 0], [0, 0, 0, 0]])
    layer = Softmax(dtype="float64")
    y, cache = layer.forward(np.ones((2, 4)), mask=may)
    np.testing.assert_array_equal(y, [[0.5, 0.5, 0, 0], [0, 0, 0, 0]])
    dx, _ = layer.backward(np.array([[1.0, 2, 3, 4]] * 2), cache)
    np.testing.assert_array_equal(dx, [[-0.25, 0.25, 0, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize("shape", [(2, 3), (1, 1, 3)])
def test_a_mask_that_is_larger_than_x_is_refused(shape):
    with pytest.raises(ValueError, match=r"a mask of shape .* cannot be repeated to the shape of x, \(1, 3\)"):
        Softmax()(np.ones((1, 3)), mask=np.ones(shape))
