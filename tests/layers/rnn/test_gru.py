"""GRU: its equations, its parameters; Keras's values stand in tests/reference."""

import importlib.util
import json

import numpy as np
import pytest

from scratchnet import kernels
from scratchnet.gradient_check import check_layer
from scratchnet.layers import GRU

BACKENDS = ["loops", "numpy"] + ["numba"] * (importlib.util.find_spec("numba") is not None)
BOTH_KINDS = pytest.mark.parametrize("reset_after", [True, False])


@pytest.fixture(params=BACKENDS)
def backend(request):
    with kernels.using_backend(request.param):
        yield request.param


def made(rng, D, **options):
    layer = GRU(**{"units": 4, "dtype": "float64", **options})
    layer.ensure_built((None, None, D))
    for w in layer.weights:
        w[...] = rng.normal(size=w.shape)
    return layer


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@BOTH_KINDS
@pytest.mark.parametrize("use_bias", [True, False])
def test_one_step_is_its_equations(reset_after, use_bias, backend):
    rng = np.random.default_rng(0)
    layer = made(rng, 3, reset_after=reset_after, use_bias=use_bias)
    (W, R, *_), (x, h0) = layer.weights, (rng.normal(size=(2, 1, 3)), rng.normal(size=(2, 4)))
    b, c = layer.params["bias"] if use_bias and reset_after else (layer.params.get("bias", np.zeros(12)), np.zeros(12))
    x_z, x_r, x_g = np.split(x[:, 0] @ W + b, 3, axis=1)
    h_z, h_r, h_g = np.split(h0 @ R + c, 3, axis=1)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    g = np.tanh(x_g + (r * h_g if reset_after else (r * h0) @ R[:, 8:]))
    y, cache = layer.forward([x, h0])
    np.testing.assert_allclose(y, z * h0 + (1 - z) * g, rtol=0, atol=1e-14)
    for found, wanted in ((cache.z, z), (cache.r, r), (cache.g, g)):
        np.testing.assert_allclose(found[0], wanted, rtol=0, atol=1e-14)


@BOTH_KINDS
@pytest.mark.parametrize("options", [{}, {"use_bias": False}, {"activation": "gelu", "recurrent_activation": "silu"}])
def test_gradients_of_both_kinds(reset_after, options, backend):
    rng = np.random.default_rng(1)
    layer = made(rng, 3, units=2, reset_after=reset_after, return_sequences=True, **options)
    check_layer(layer, rng.normal(size=(2, 4, 3))).raise_if_failed()


@BOTH_KINDS
def test_gradients_of_both_kinds_with_masks_and_dropout(reset_after, backend):
    rng = np.random.default_rng(2)
    layer = made(rng, 3, units=2, reset_after=reset_after, dropout=0.3, recurrent_dropout=0.3)
    check_layer(layer, rng.normal(size=(3, 4, 3)), training=True).raise_if_failed()


def test_parameters_are_those_of_keras():
    layer = GRU(4)
    layer.build((None, None, 3))
    shapes = {"kernel": (3, 12), "recurrent_kernel": (4, 12), "bias": (2, 12)}
    assert {name: w.shape for name, w in layer.params.items()} == shapes
    before = GRU(4, reset_after=False)
    before.build((None, None, 3))
    assert before.params["bias"].shape == (12,) and not before.params["bias"].any()


def test_a_frozen_layer_returns_dx_alone():
    rng = np.random.default_rng(3)
    layer = made(rng, 3, trainable=False)
    y, cache = layer.forward(rng.normal(size=(2, 5, 3)))
    dx, grads = layer.backward(y, cache)
    assert grads == {} and dx.shape == (2, 5, 3)


def test_configuration_makes_the_same_layer_again():
    layer = GRU(4, "relu", "hard_sigmoid", reset_after=False, dropout=0.1, recurrent_dropout=0.2, stateful=True, seed=3)
    settings = json.loads(json.dumps(layer.get_config()))
    assert GRU.from_config(settings).get_config() == settings
    assert settings["reset_after"] is False and settings["recurrent_dropout"] == 0.2 and settings["seed"] == 3
