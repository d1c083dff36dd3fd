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


@pytest.mark.parametrize("axis", [-1, 1, [1, 2]])
def test_softmax(axis):
    layer, axes = Softmax(axis, dtype="float64"), tuple(axis) if isinstance(axis, list) else axis
    np.testing.assert_allclose(layer(X).sum(axis=axes), 1)
    check_layer(layer, X).raise_if_failed()


def test_what_is_masked_gets_nothing():
    mask = np.arange(5) < 3
    y = Softmax(dtype="float64")(X, mask=np.broadcast_to(mask, X.shape))
    assert (y[..., 3:] == 0).all()
    np.testing.assert_allclose(y.sum(axis=-1), 1)


def test_numbers_below_0_are_refused():
    with pytest.raises(ValueError, match="negative_slope"):
        ReLU(negative_slope=-1)
