from types import SimpleNamespace

import numpy as np
import pytest

from scratchnet.explain.payload import Payload
from scratchnet.explain.views.conv_lstm import conv_lstm_inside, replayed_grads
from scratchnet.layers import ConvLSTM1D, ConvLSTM2D, Dense, Flatten, Input
from scratchnet.models import Sequential

pytestmark = pytest.mark.usefixtures("by_numpy")


def traced(dtype="float64", training=False, **options):
    layer = ConvLSTM2D(3, 2, name="film", dtype=dtype, **options)
    model = Sequential([Input((4, 5, 5, 2)), layer, Flatten(), Dense(2, dtype=dtype)])
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).standard_normal((2, 4, 5, 5, 2)).astype(dtype)
    return model.trace(x, np.ones((2, 2), dtype), training=training)


def assert_agrees(call, bound):
    found = replayed_grads(call.layer, call)
    assert found.keys() == {*call.grads, "x"}
    for name, d in found.items():
        own = call.dx if name == "x" else call.grads[name]
        assert np.abs(d - own).max() < bound * np.abs(own).max(), name


@pytest.mark.parametrize("dtype, bound", [("float32", 1e-6), ("float64", 1e-12)])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"return_sequences": True, "padding": "same"},
        {"go_backwards": True, "activation": "relu", "recurrent_activation": "hard_sigmoid"},
        {"strides": 2, "use_bias": False},
        {"training": True, "dropout": 0.3, "recurrent_dropout": 0.3, "seed": 1},
    ],
)
def test_the_replay_gives_the_gradients_of_the_layer(options, dtype, bound):
    assert_agrees(traced(dtype, **options)["film"], bound)


def test_so_it_does_where_steps_do_not_count():
    layer = ConvLSTM1D(2, 2, dtype="float64")
    layer.ensure_built((2, 4, 5, 1))
    x = np.random.default_rng(0).standard_normal((2, 4, 5, 1))
    mask = np.ones((2, 4), bool)
    mask[0, 2:] = False
    y, cache = layer.forward(x, mask=mask)
    dy = np.random.default_rng(1).standard_normal(y.shape)
    dx, grads = layer.backward(dy, cache)
    call = SimpleNamespace(cache=cache, dy=dy)
    call.inside = conv_lstm_inside(layer, call)
    found = replayed_grads(layer, call)
    for name, own in {**grads, "x": dx}.items():
        np.testing.assert_allclose(found[name], own, rtol=1e-10, atol=1e-14)


def test_gates_are_maps_batch_first():
    call = traced(return_sequences=True)["film"]
    assert call.gates.i.shape == (2, 4, 4, 4, 3) and call.gates.c.shape == (2, 5, 4, 4, 3)
    step = call.steps[2]
    np.testing.assert_allclose(step.c, step.f * step.c_prev + step.i * step.g, rtol=1e-12)
    np.testing.assert_allclose(step.df, step.dc * step.c_prev, rtol=1e-12)


def test_without_a_pass_back_there_are_the_values_alone():
    model = Sequential([Input((4, 5, 5, 2)), ConvLSTM2D(3, 2, name="film")])
    call = model.trace(np.ones((1, 4, 5, 5, 2), np.float32))["film"]
    assert "h" in call.inside and "dh" not in call.inside and replayed_grads(call.layer, call) == {}


def test_the_page_is_told_how_the_windows_lie():
    call = Payload(traced(padding="same", strides=2)).meta["calls"][0]
    of_x, of_h = call["options"]["of_x"], call["options"]["of_h"]
    assert call["view"] == "rnn-conv" and call["replay"] < 1e-12 and call["options"]["plain"]
    assert of_x == {"strides": [2, 2], "padding": [0, 0], "dilation": [1, 1]} and of_h["strides"] == [1, 1]
    dropped = traced(training=True, dropout=0.5)
    assert not Payload(dropped).meta["calls"][0]["options"]["plain"]
