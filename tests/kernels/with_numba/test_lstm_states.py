"""The states of an LSTM in use are those of the layer in training, however its input lies."""

import numpy as np
import pytest

pytest.importorskip("numba")

from scratchnet import activations  # noqa: E402
from scratchnet.kernels import operations  # noqa: E402
from scratchnet.kernels.with_numba import lstm_states, recurrent  # noqa: E402

SIGMOID = activations.get("sigmoid")
compiled = operations("numba")


def drawn(T, N, D, U, dtype="float32"):
    """x (T, N, D), W, R, b, h0 and c0."""
    rng = np.random.default_rng(6)
    shapes = (T, N, D), (D, 4 * U), (U, 4 * U), (4 * U,), (N, U), (N, U)
    return [(rng.normal(size=shape) / shape[0] ** 0.5).astype(dtype) for shape in shapes]


def check(x, W, R, b, h0, c0, T, act="tanh"):
    act, xW = activations.get(act), (x.reshape(-1, len(W)) @ W).reshape(len(x), len(h0), -1)
    expected = compiled.lstm_forward(np.broadcast_to(xW, (T, *xW.shape[1:])), R, b, h0, c0, act, SIGMOID)
    arguments = x, W, R, b, h0, c0
    given = [array.copy() for array in arguments]
    for sequence in (True, False):
        h, c = compiled.lstm_states(*arguments, act, SIGMOID, T, sequence)
        shown = slice(None) if sequence else slice(-1, None)
        np.testing.assert_allclose(h[shown], expected.h[shown], rtol=0, atol=2e-6)
        np.testing.assert_allclose(c[-1], expected.c[-1], rtol=0, atol=2e-6)
    for array, before in zip(arguments, given):
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize(
    "dtype, act", [("float32", "tanh"), ("float64", "tanh"), ("float32", "relu"), ("float32", "elu")]
)
@pytest.mark.parametrize("T, N", [(1, 3), (4, 3), (1, 6), (5, 7)])
def test_states_alone_are_those_of_the_lstm(T, N, dtype, act):
    x, *rest = drawn(T, N, 3, 5, dtype)
    check(x, *rest, T, act)
    check(x[:1], *rest, T + 1, act)  # a step that is repeated


@pytest.mark.parametrize("kept", [1, 30])
def test_some_steps_at_a_time(kept, monkeypatch):
    monkeypatch.setattr(recurrent, "_KEPT", kept)
    x, *rest = drawn(5, 3, 3, 5)  # of too few samples for panels
    check(x, *rest, 5)
    check(x[:1], *rest, 5)


@pytest.mark.parametrize("act", ["tanh", "relu"])
@pytest.mark.parametrize("D, U", [(1, 1), (3, 8), (8, 9), (300, 3)])
def test_numbers_that_fill_no_panel(D, U, act):
    check(*drawn(3, lstm_states.LEAST, D, U), 3, act)


@pytest.mark.parametrize("act", ["tanh", "relu"])
def test_these_kernels_make_the_states_of_an_lstm_with_either_function(act, monkeypatch):
    monkeypatch.setattr(recurrent, "lstm_forward", None)
    x, *rest = drawn(4, 8, 3, 5)
    assert compiled.lstm_states(x, *rest, activations.get(act), SIGMOID, 4, True)[0].shape == (5, 8, 5)


@pytest.mark.parametrize("training", [True, False])
def test_a_function_of_ones_own_is_not_taken_for_the_relu_whose_name_it_bears(training):
    x, W, R, b, h0, c0 = drawn(4, 8, 3, 5)
    own = activations.Activation("relu", lambda z, out=None: np.clip(z, 0, 1, out=out), lambda dy, y: dy * (y < 1), "y")
    if training:
        h = compiled.lstm_forward((x.reshape(-1, 3) @ W).reshape(4, 8, -1), R, b + 9, h0, c0, own, SIGMOID).h
    else:
        h, _ = compiled.lstm_states(x, W, R, b + 9, h0, c0, own, SIGMOID, 4, True)
    assert 0.9 < h[1:].max() <= 1


def test_more_samples_than_stay_in_the_cache():
    check(*drawn(2, 2 * lstm_states._ROWS + 5, 2, 3), 2)


def test_input_is_read_where_it_lies():
    x, *rest = drawn(4, 6, 3, 5)
    by_sample = np.ascontiguousarray(x.transpose(1, 0, 2)).transpose(1, 0, 2)
    for laid_out in (by_sample, by_sample[::-1], np.repeat(x, 2, axis=2)[:, :, ::2], by_sample[:1]):
        check(laid_out, *rest, max(len(laid_out), 3 if len(laid_out) == 1 else 0))


@pytest.mark.parametrize("repeated", [False, True])
def test_samples_that_two_threads_share_are_those_of_one(repeated):
    x, W, R, b, h0, c0 = drawn(1 if repeated else 3, 8, 3, 5)
    whole_h, whole_c = lstm_states.states(x, W, R, b, h0, c0, 3, True, None)
    h, c = np.full_like(whole_h, np.nan), np.full_like(whole_c[0], np.nan)
    known = x, False, lstm_states.in_panels(W), lstm_states.in_panels(R), b, h0, c0, 3, h, c, None
    for first, stop in ((0, 5), (7, 8), (5, 7)):
        before = h.copy(), c.copy()
        lstm_states._states(first, stop, *known)
        for array, was in ((h.swapaxes(0, 1), before[0].swapaxes(0, 1)), (c, before[1])):
            others = np.delete(np.arange(8), np.s_[first:stop])
            np.testing.assert_array_equal(array[others], was[others])
    np.testing.assert_array_equal(h, whole_h)
    np.testing.assert_array_equal(c, whole_c[0])
