"""What all layers that draw random numbers have in common."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer
from scratchnet.layers import Dropout, GaussianNoise


@pytest.mark.parametrize(
    "make", [lambda: Dropout(0.4, seed=3), lambda: GaussianNoise(0.5, seed=3)], ids=["Dropout", "GaussianNoise"]
)
def test_random_layers_do_nothing_outside_of_training(make):
    x = np.ones((4, 5), "float32")
    np.testing.assert_array_equal(make()(x), x)
    y, cache = make().forward(x)
    assert y is x and make().backward(x, cache)[0] is x
    assert not np.array_equal(make()(x, training=True), x)
    assert make().forward(x, training=True)[0].dtype == np.float32
    check_layer(make(), x.astype("float64"), training=True, linear=("x",)).raise_if_failed()


@pytest.mark.parametrize("layer", [Dropout(0), GaussianNoise(0)], ids=["Dropout", "GaussianNoise"])
def test_at_a_rate_or_deviation_of_0_nothing_is_computed(layer):
    x = np.ones((2, 3), "float32")
    assert layer.forward(x, training=True)[0] is x


@pytest.mark.parametrize("layer", [Dropout(0.5), GaussianNoise(0.5)], ids=["Dropout", "GaussianNoise"])
def test_a_random_layer_s_stream_has_the_name_under_which_it_is_saved(layer):
    assert layer.random_streams() == {"random": layer.random}
