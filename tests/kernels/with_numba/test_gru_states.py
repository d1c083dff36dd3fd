"""The states of a GRU in use are those of the layer in training, however its input lies."""

import numpy as np
import pytest

pytest.importorskip("numba")

from scratchnet import activations  # noqa: E402
from scratchnet.kernels import operations  # noqa: E402
from scratchnet.kernels.with_numba import gru_states, lstm_states  # noqa: E402

SIGMOID = activations.get("sigmoid")
compiled = operations("numba")


def drawn(T, N, D, U, dtype="float32"):
    """x (T, N, D), W, R, b, c and h0."""
    rng = np.random.default_rng(6)
    shapes = (T, N, D), (D, 3 * U), (U, 3 * U), (3 * U,), (3 * U,), (N, U)
    return [(rng.normal(size=shape) / shape[0] ** 0.5).astype(dtype) for shape in shapes]


def check(x, W, R, b, c, h0, T, act="tanh", reset_after=True):
    act, xW = activations.get(act), (x.reshape(-1, len(W)) @ W).reshape(len(x), len(h0), -1)
    repeated = np.broadcast_to(xW, (T, *xW.shape[1:]))
    expected = compiled.gru_forward(repeated, R, b, c, h0, act, SIGMOID, reset_after).h
    arguments = x, W, R, b, c, h0
    given = [array.copy() for array in arguments]
    for sequence in (True, False):
        h = compiled.gru_states(*arguments, act, SIGMOID, reset_after, T, sequence)
        shown = slice(None) if sequence else slice(-1, None)
        np.testing.assert_allclose(h[shown], expected[shown], rtol=0, atol=2e-6)
    for array, before in zip(arguments, given):
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize(
    "dtype, act, reset_after",
    [
        ("float32", "tanh", True),
        ("float64", "tanh", True),
        ("float32", "relu", True),
        ("float32", "elu", True),
        ("float32", "tanh", False),
    ],
)
@pytest.mark.parametrize("T, N", [(1, 3), (4, 3), (1, 6), (5, 7)])
def test_states_alone_are_those_of_the_gru(T, N, dtype, act, reset_after):
    x, *rest = drawn(T, N, 3, 5, dtype)
    check(x, *rest, T, act, reset_after)
    check(x[:1], *rest, T + 1, act, reset_after)  # a step that is repeated


@pytest.mark.parametrize("act", ["tanh", "relu"])
@pytest.mark.parametrize("D, U", [(1, 1), (3, 8), (8, 9), (9, 17), (300, 3)])
def test_numbers_that_fill_no_panel(D, U, act):
    check(*drawn(17, lstm_states.LEAST, D, U), 17, act)


def test_more_samples_than_stay_in_the_cache():
    check(*drawn(2, 2 * gru_states._ROWS + 5, 2, 3), 2)
    x, *rest = drawn(1, 2 * gru_states._ROWS + 5, 2, 3)
    check(x, *rest, 3)


def test_input_is_read_where_it_lies():
    x, *rest = drawn(4, 6, 3, 5)
    by_sample = np.ascontiguousarray(x.transpose(1, 0, 2)).transpose(1, 0, 2)
    for laid_out in (by_sample, by_sample[::-1], np.repeat(x, 2, axis=2)[:, :, ::2], by_sample[:1]):
        check(laid_out, *rest, max(len(laid_out), 3 if len(laid_out) == 1 else 0))
