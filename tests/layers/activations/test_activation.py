"""Activations as layers."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer
from scratchnet.gradient_check.catalogue import separated
from scratchnet.layers import ELU, Activation, Dense, LeakyReLU, ReLU, Softmax, deserialize, serialize

F64 = {"dtype": "float64"}


@pytest.mark.parametrize(
    "layer",
    [ReLU(**F64), LeakyReLU(0.1, **F64), ELU(0.5, **F64), ELU(-0.5, **F64), Softmax(**F64), Activation("silu", **F64)],
    ids=lambda layer: type(layer).__name__,
)
def test_activation_layers(layer):
    check_layer(layer, separated(np.random.default_rng(0), (3, 4))).raise_if_failed()
    again = deserialize(serialize(layer))
    x = np.random.default_rng(1).standard_normal((2, 3))
    np.testing.assert_array_equal(again(x), layer(x))


@pytest.mark.parametrize("alpha", [-1.0, -0.3, 0.0, 2])
def test_elu_takes_any_alpha(alpha):
    z = np.array([[-2.0, -0.5, 0, 1.5]])
    for layer in (ELU(alpha, **F64), deserialize(serialize(ELU(alpha, **F64)))):
        y, cache = layer.forward(z)
        np.testing.assert_allclose(y, np.where(z > 0, z, alpha * np.expm1(z)))
        np.testing.assert_allclose(layer.backward(z + 1, cache)[0], (z + 1) * np.where(z > 0, 1, alpha * np.exp(z)))
    dense = Dense(4, activation=ELU(alpha, **F64), kernel_initializer="identity", **F64)
    np.testing.assert_allclose(deserialize(serialize(dense))(z), y)
    check_layer(dense, z + 0.1).raise_if_failed()
    for wrong in (None, "a", np.nan, -np.inf, True):
        with pytest.raises(ValueError, match="alpha must be a finite number, got"):
            ELU(wrong)


def test_alpha_is_the_older_name_of_the_slope():
    layer = LeakyReLU(alpha=0.25)
    assert layer.negative_slope == 0.25 and "alpha" not in layer.get_config()
    assert deserialize(serialize(layer)).negative_slope == 0.25
    np.testing.assert_array_equal(layer(np.array([[-4.0, 4.0]])), [[-1, 4]])
