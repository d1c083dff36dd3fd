"""LSTM: its equations, Keras's values, its parameters."""

import importlib.util
import json

import numpy as np
import pytest

from scratchnet import activations, kernels
from scratchnet.layers.rnn.lstm import LSTM

BACKENDS = ["loops", "numpy"] + ["numba"] * (importlib.util.find_spec("numba") is not None)


@pytest.fixture(params=BACKENDS)
def backend(request):
    with kernels.using_backend(request.param):
        yield request.param


def make(D, rng=None, **arguments):
    """A built layer with asymmetric parameters: sines as in the reference values, or random ones."""
    layer = LSTM(**arguments)
    layer.ensure_built((None, None, D))
    for p, scale, shift in zip(layer.weights, (0.5, 0.5, 1.0), (0, 7, 3)):
        p[...] = scale * (
            np.sin(shift + np.arange(p.size)).reshape(p.shape) if rng is None else rng.normal(size=p.shape)
        )
    return layer


def test_constant_kernels_on_a_ramp():
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    for options, expected in (
        ({}, [0.21686901, 0.5788873]),
        ({"unit_forget_bias": False, "go_backwards": True}, [0.10142914, 0.44347778]),
    ):
        layer = LSTM(3, kernel_initializer="ones", recurrent_initializer="ones", bias_initializer="zeros", **options)
        layer.ensure_built(x.shape)
        W, R, b = layer.weights
        W *= 0.01
        R *= 0.02
        b[b == 0] = 0.03  # a forget bias of one stays
        np.testing.assert_allclose(layer(x), np.repeat(expected, 3).reshape(2, 3), rtol=2e-6)


def test_values_of_keras_with_asymmetric_kernels(backend):
    x = np.cos(np.arange(24)).reshape(2, 3, 4)
    y, h, c = make(4, units=2, dtype="float64", return_state=True)(x, [np.full((2, 2), 0.3), np.full((2, 2), -0.7)])
    np.testing.assert_allclose(y, [[0.16653703, 0.1123793], [0.08687915, 0.1448896]], atol=1e-6)
    np.testing.assert_allclose(c, [[0.33896118, 0.29661852], [0.1461432, 0.29666623]], atol=1e-6)
    np.testing.assert_array_equal(h, y)
    options = {"activation": "relu", "recurrent_activation": "hard_sigmoid", "return_sequences": True}
    y = make(4, units=2, dtype="float64", go_backwards=True, **options)(x)
    expected = [
        [[0.13361448, 0.08461011], [0.3870586, 0.15217447], [0.17261028, 0.3239527]],
        [[0.03663664, 0.10068801], [0.32328105, 0.11492825], [0.14207177, 0.35194394]],
    ]
    np.testing.assert_allclose(y, expected, atol=1e-6)


def test_one_step_is_its_cell(backend):
    rng = np.random.default_rng(0)
    layer = make(3, rng, units=4, dtype="float64", return_state=True)
    W, R, b = layer.weights
    x, h0, c0 = rng.normal(size=(2, 1, 3)), *rng.normal(size=(2, 2, 4))
    i, f, g, o = np.split(x[:, 0] @ W + h0 @ R + b, 4, axis=1)
    c = c0 / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
    h = np.tanh(c) / (1 + np.exp(-o))
    (y, last_h, last_c), cache = layer.forward([x, h0, c0])
    for value, wanted in (
        (y, h),
        (last_h, h),
        (last_c, c),
        (cache.g[0], np.tanh(g)),
        (cache.f[0], 1 / (1 + np.exp(-f))),
    ):
        np.testing.assert_allclose(value, wanted, rtol=0, atol=1e-15)


@pytest.mark.parametrize("first, second", [("i", "f"), ("i", "g"), ("i", "o"), ("f", "g"), ("f", "o"), ("g", "o")])
def test_two_gates_exchanged_are_another_layer(first, second):
    layer, swapped = make(3, units=2, dtype="float64"), make(3, units=2, dtype="float64")
    order = ["ifgo".replace(first, "?").replace(second, first).replace("?", second).index(gate) for gate in "ifgo"]
    for p in swapped.weights:
        p[...] = np.concatenate([np.split(p, 4, axis=-1)[k] for k in order], axis=-1)
    x = np.cos(np.arange(24)).reshape(2, 4, 3)
    assert np.abs(layer(x) - swapped(x)).max() > 1e-3


def test_cache_names_what_the_equations_name():
    layer = make(3, units=4, dtype="float64")
    _, cache = layer.forward(np.random.default_rng(0).normal(size=(2, 5, 3)))
    assert cache.h.shape == cache.c.shape == (6, 2, 4)
    np.testing.assert_allclose(cache.c[1:], cache.f * cache.c[:-1] + cache.i * cache.g, rtol=0, atol=1e-15)
    np.testing.assert_allclose(cache.h[1:], cache.o * np.tanh(cache.c[1:]), rtol=0, atol=1e-15)
    np.testing.assert_allclose(cache.tanh_c, np.tanh(cache.c[1:]), rtol=0, atol=1e-15)


def test_parameters_and_their_defaults():
    layer = LSTM(4)
    layer.ensure_built((None, None, 3))
    assert {name: w.shape for name, w in layer.params.items()} == {
        "kernel": (3, 16),
        "recurrent_kernel": (4, 16),
        "bias": (16,),
    }
    R = layer.params["recurrent_kernel"]
    np.testing.assert_allclose(R @ R.T, np.eye(4), atol=1e-5)
    np.testing.assert_array_equal(layer.params["bias"], np.repeat([0, 1, 0, 0], 4))
    assert layer.activation is activations.tanh and layer.recurrent_activation is activations.sigmoid
    assert "bias" not in make(3, units=4, use_bias=False).params


def test_configuration_makes_the_same_layer_again():
    layer = LSTM(
        4, "relu", "hard_sigmoid", use_bias=False, unit_forget_bias=False, return_state=True, go_backwards=True
    )
    settings = json.loads(json.dumps(layer.get_config()))
    again = LSTM.from_config(settings)
    assert again.get_config() == settings
    assert settings["units"] == 4 and settings["activation"] == "relu" and settings["go_backwards"] is True
    again.ensure_built((None, None, 3))
    assert [w.shape for w in again.weights] == [(3, 16), (4, 16)]
