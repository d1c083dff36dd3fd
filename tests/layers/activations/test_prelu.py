"""PReLU: slopes that are learnt, one for each place or shared along axes."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer
from scratchnet.layers import Input, PReLU


@pytest.mark.parametrize("shared_axes", [None, [1], [1, 2], 2, [-1], [0], [0, 1]])
def test_gradients(shared_axes):
    layer = PReLU("uniform", shared_axes=shared_axes, dtype="float64")
    x = np.random.default_rng(4).standard_normal((3, 4, 5))
    layer.ensure_built(x.shape)
    layer.params["alpha"] += 0.3
    check_layer(layer, x).raise_if_failed()


@pytest.mark.parametrize(
    ("shared_axes", "shape"),
    [([1], (1, 5, 2)), ([3], (4, 5, 1)), ([0], (4, 5, 1)), (-1, (4, 1, 2)), ([-2], (1, 5, 2)), ([-1, 0], (4, 1, 1))],
)
def test_shared_axes_are_places_in_the_shape_of_a_sample_counted_from_1(shared_axes, shape):
    layer = PReLU("uniform", shared_axes=shared_axes)
    x = np.random.default_rng(0).standard_normal((3, 4, 5, 2)).astype("float32")
    y = layer(x)
    assert layer.params["alpha"].shape == shape
    np.testing.assert_allclose(y, np.where(x > 0, x, x * layer.params["alpha"]), rtol=1e-6)
    assert PReLU.from_config(layer.get_config()).shared_axes == layer.shared_axes


def test_at_0_the_slope_is_that_of_negative_numbers():
    layer = PReLU("ones", dtype="float64")
    layer(np.zeros((1, 2)))
    layer.params["alpha"] *= 0.5
    dx, grads = layer.backward(np.ones((1, 2)), layer.forward(np.array([[0.0, -2.0]]))[1])
    np.testing.assert_array_equal(dx, [[0.5, 0.5]])
    np.testing.assert_array_equal(grads["alpha"], [0, -2])


def test_what_does_not_fit_is_refused():
    for axis in (3, 2, -1, 1.0):
        with pytest.raises(ValueError, match="shared_axes"):
            PReLU(shared_axes=[axis])(np.ones((2, 3)))
    with pytest.raises(ValueError, match="known sizes"):
        PReLU()(Input((None, 3)))
