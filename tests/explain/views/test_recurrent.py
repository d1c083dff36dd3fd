import numpy as np
import pytest

from scratchnet import kernels
from scratchnet.explain.views.recurrent import replayed_grads
from scratchnet.kernels.loops import gru, recurrent
from scratchnet.layers import GRU, LSTM, Dense, Input, Masking, RepeatVector, SimpleRNN
from scratchnet.models import Sequential

pytestmark = pytest.mark.usefixtures("by_numpy")

LAYERS = {
    "lstm": lambda **o: LSTM(4, **o),
    "lstm of relu": lambda **o: LSTM(4, activation="relu", recurrent_activation="hard_sigmoid", **o),
    "lstm of softsign": lambda **o: LSTM(4, activation="softsign", **o),
    "gru": lambda **o: GRU(4, **o),
    "gru, reset before": lambda **o: GRU(4, reset_after=False, **o),
    "gru without bias": lambda **o: GRU(4, use_bias=False, **o),
    "simple": lambda **o: SimpleRNN(4, **o),
    "simple without bias": lambda **o: SimpleRNN(4, use_bias=False, **o),
}


def traced(make, dtype, training=False, before=(), **options):
    layer = make(name="rnn", dtype=dtype, **options)
    model = Sequential([Input((5, 3)), *before, layer, Dense(2, dtype=dtype)])
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).standard_normal((2, 5, 3)).astype(dtype)
    x[0, 3:] = 0
    y = model.predict(x, verbose=0)
    return model.trace(x, y + 1, training=training)["rnn"]


def relative(a, b):
    return np.abs(a - b).max() / np.abs(b).max()


def assert_agrees(call, bound):
    for name, d in replayed_grads(call.layer, call).items():
        own = call.dx if name == "x" else call.grads[name]
        assert relative(d, own) < bound, name


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dtype, bound", [("float32", 1e-6), ("float64", 1e-12)])
def test_the_replay_gives_the_gradients_of_the_layer(name, dtype, bound):
    assert_agrees(traced(LAYERS[name], dtype), bound)


@pytest.mark.parametrize("name", ["lstm", "gru", "gru, reset before", "simple"])
def test_so_it_does_with_masks_backwards_and_with_what_is_dropped(name):
    make = LAYERS[name]
    assert_agrees(traced(make, "float64", before=[Masking()], return_sequences=True), 1e-12)
    assert_agrees(traced(make, "float64", go_backwards=True), 1e-12)
    dropped = traced(make, "float64", training=True, dropout=0.3, recurrent_dropout=0.3, seed=3)
    assert_agrees(dropped, 1e-12)
    assert "dx" not in dropped.inside  # it is behind the masks


@pytest.mark.parametrize("name", ["lstm", "gru", "gru, reset before", "simple"])
def test_the_values_are_those_of_the_kernels_written_as_loops(name):
    with kernels.using_backend("loops"):
        call = traced(LAYERS[name], "float64", return_sequences=True)
    kept = {key: a for key, a in call.cache._asdict().items() if key in call.inside}
    for key, a in kept.items():
        np.testing.assert_allclose(call.inside[key], np.swapaxes(a, 0, 1), rtol=1e-12, atol=1e-14)
    layer, R = call.layer, call.params["recurrent_kernel"]
    dy, last = np.ascontiguousarray(np.swapaxes(call.dy, 0, 1)), np.zeros((2, 4))
    if name == "lstm":
        dz, *_ = recurrent.lstm_backward(dy, last, last, R, call.cache, layer.activation, layer.recurrent_activation)
    elif name == "simple":
        dz, _ = recurrent.simple_rnn_backward(dy, last, R, call.cache, layer.activation)
    else:
        options = layer.activation, layer.recurrent_activation, layer.reset_after
        dz, dq, _ = gru.gru_backward(dy, last, R, call.cache, *options)
        np.testing.assert_allclose(np.swapaxes(call.dq, 0, 1), dq, rtol=1e-11, atol=1e-15)
    replayed = call.inside["ds" if "gru" in name else "dz"]
    np.testing.assert_allclose(np.swapaxes(replayed, 0, 1), dz, rtol=1e-11, atol=1e-15)


def test_behind_repeat_vector_dx_is_of_each_step_and_sums_to_the_layers():
    model = Sequential([Input((3,)), RepeatVector(5), LSTM(4, name="rnn", dtype="float64")])
    model.compile("sgd", "mse")
    call = model.trace(np.ones((1, 3)), np.ones((1, 4)))["rnn"]
    assert call.x.shape == (1, 5, 3) and call.inside["dx"].shape == (1, 5, 3)
    np.testing.assert_allclose(call.inside["dx"].sum(axis=1), call.dx[:, 0], rtol=1e-10)


def test_without_a_pass_back_there_are_the_values_alone():
    for make in LAYERS.values():
        model = Sequential([Input((5, 3)), make(name="rnn")])
        inside = model.trace(np.ones((1, 5, 3), np.float32))["rnn"].inside
        assert "h" in inside and not {"dh", "dz" if "s" not in inside else "ds"} & inside.keys()
