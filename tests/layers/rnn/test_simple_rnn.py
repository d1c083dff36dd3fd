"""SimpleRNN: its equations, Keras's values, its parameters."""

import importlib.util
import json

import numpy as np
import pytest

from scratchnet import activations, kernels
from scratchnet.layers.rnn.simple_rnn import SimpleRNN

BACKENDS = ["loops", "numpy"] + ["numba"] * (importlib.util.find_spec("numba") is not None)


@pytest.fixture(params=BACKENDS)
def backend(request):
    with kernels.using_backend(request.param):
        yield request.param


def make(D, rng=None, **arguments):
    """A built layer with asymmetric parameters: sines as in the reference values, or random ones."""
    layer = SimpleRNN(**arguments)
    layer.ensure_built((None, None, D))
    for p, scale, shift in zip(layer.weights, (0.5, 0.5, 1.0), (0, 7, 3)):
        p[...] = scale * (
            np.sin(shift + np.arange(p.size)).reshape(p.shape) if rng is None else rng.normal(size=p.shape)
        )
    return layer


def test_constant_kernels_on_a_ramp():
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    for go_backwards, expected in ((False, [0.40543202, 0.7360534]), (True, [0.1114473, 0.55288875])):
        layer = SimpleRNN(4, go_backwards=go_backwards)
        layer.ensure_built(x.shape)
        for parameter, value in zip(layer.weights, (0.01, 0.02, 0.03)):
            parameter[...] = value
        np.testing.assert_allclose(layer(x), np.repeat(expected, 4).reshape(2, 4), rtol=2e-6)


def test_values_of_keras_with_asymmetric_kernels(backend):
    x = np.cos(np.arange(24)).reshape(2, 3, 4)
    y = make(4, units=2, dtype="float64")(x)
    np.testing.assert_allclose(y, [[-0.12319279, -0.32487905], [0.11472644, -0.2882153]], atol=1e-6)
    layer = make(4, units=2, dtype="float64", go_backwards=True, return_sequences=True, return_state=True)
    y, h = layer(x, initial_state=np.full((2, 2), 0.3))
    expected = [
        [[0.20134021, -0.38995883], [-0.20963037, -0.7693936], [0.426119, -0.3077328]],
        [[0.4662663, -0.24730839], [-0.2634125, -0.7029106], [0.3598485, -0.5312981]],
    ]
    np.testing.assert_allclose(y, expected, atol=1e-6)
    np.testing.assert_array_equal(h, y[:, -1])


def test_one_step_is_its_equation():
    rng = np.random.default_rng(0)
    layer = make(3, rng, units=4, dtype="float64")
    W, R, b = layer.weights
    x, h0 = rng.normal(size=(2, 1, 3)), rng.normal(size=(2, 4))
    np.testing.assert_allclose(layer([x, h0]), np.tanh(x[:, 0] @ W + h0 @ R + b), rtol=0, atol=1e-15)


def test_parameters_and_their_defaults():
    layer = SimpleRNN(4)
    layer.ensure_built((None, None, 3))
    assert {name: w.shape for name, w in layer.params.items()} == {
        "kernel": (3, 4),
        "recurrent_kernel": (4, 4),
        "bias": (4,),
    }
    R = layer.params["recurrent_kernel"]
    np.testing.assert_allclose(R @ R.T, np.eye(4), atol=1e-5)
    assert layer.activation is activations.tanh and not layer.params["bias"].any()
    assert "bias" not in make(3, units=4, use_bias=False).params


def test_configuration_makes_the_same_layer_again():
    layer = SimpleRNN(4, activation="relu", use_bias=False, return_sequences=True, go_backwards=True)
    settings = json.loads(json.dumps(layer.get_config()))
    again = SimpleRNN.from_config(settings)
    assert again.get_config() == settings
    assert settings["units"] == 4 and settings["activation"] == "relu" and settings["go_backwards"] is True
    again.ensure_built((None, None, 3))
    assert [w.shape for w in again.weights] == [(3, 4), (4, 4)]
