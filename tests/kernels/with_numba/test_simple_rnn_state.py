"""The last state of a SimpleRNN in use is that of the layer in training, however its input lies."""

import numpy as np
import pytest

pytest.importorskip("numba")

from scratchnet import activations  # noqa: E402
from scratchnet.kernels import operations  # noqa: E402
from scratchnet.kernels.with_numba import simple_rnn_state  # noqa: E402

compiled, TANH = operations("numba"), activations.get("tanh")


def drawn(T, N, D, U, dtype="float32"):
    """x (T, N, D), W, R and b."""
    rng = np.random.default_rng(6)
    shapes = (T, N, D), (D, U), (U, U), (U,)
    return [(rng.normal(size=shape) / shape[0] ** 0.5).astype(dtype) for shape in shapes]


def check(x, W, R, b, T, act=TANH):
    N, U = x.shape[1], len(R)
    xW = np.broadcast_to((x.reshape(-1, len(W)) @ W).reshape(len(x), N, U), (T, N, U))
    expected = compiled.simple_rnn_forward(xW, R, b, np.zeros((N, U), x.dtype), act).h[-1]
    arguments = x, W, R, b
    given = [array.copy() for array in arguments]
    np.testing.assert_allclose(compiled.simple_rnn_state(*arguments, act, T), expected, rtol=0, atol=2e-6)
    for array, before in zip(arguments, given):
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize(
    "dtype, act", [("float32", "tanh"), ("float32", "relu"), ("float64", "tanh"), ("float32", "elu")]
)
@pytest.mark.parametrize("T, N", [(1, 3), (4, 3), (1, 8), (5, 7)])
def test_the_last_state_alone_is_that_of_the_layer(T, N, dtype, act):
    x, *rest = drawn(T, N, 3, 7, dtype)
    check(x, *rest, T, activations.get(act))
    check(x[:1], *rest, T + 1, activations.get(act))  # a step that is repeated


@pytest.mark.parametrize("D, U", [(1, 2), (3, 8), (4, 9), (300, 3), (20, 40), (9, 260)])
def test_numbers_that_fill_no_panel(D, U):
    check(*drawn(3, 90, D, U), 3)


def test_more_samples_than_go_together():
    check(*drawn(2, 2 * simple_rnn_state._ROWS + 5, 2, 5), 2)


def test_input_is_read_where_it_lies():
    x, *rest = drawn(4, 6, 3, 7)
    by_sample = np.ascontiguousarray(x.transpose(1, 0, 2)).transpose(1, 0, 2)
    twice = np.repeat(x, 2, axis=2)[:, :, ::2]
    for laid_out in (by_sample, by_sample[::-1], twice):
        check(laid_out, *rest, 4)


def test_a_sample_beyond_the_range_of_numbers_spoils_no_other():
    x, *rest = drawn(3, 6, 3, 7)
    x[0, 2, 0], x[1, 4] = np.inf, np.nan
    with np.errstate(invalid="ignore"):  # of which NumPy would tell, without the compiler
        h = compiled.simple_rnn_state(x, *rest, TANH, 3)
    expected = compiled.simple_rnn_state(np.delete(x, [2, 4], axis=1), *rest, TANH, 3)
    np.testing.assert_array_equal(np.delete(h, [2, 4], axis=0), expected)
    assert np.isfinite(h[2]).all()  # as tanh takes infinity to 1
    assert np.isnan(h[4]).all()


def test_samples_that_two_threads_share_are_those_of_one():
    x, W, R, b = drawn(3, 8, 3, 7)
    whole, h = simple_rnn_state.state(x, W, R, b, TANH), np.full((8, 7), np.nan, "float32")
    RW = simple_rnn_state.in_panels(np.concatenate([R, W]))
    for first, stop in ((0, 5), (7, 8), (5, 7)):
        before = h.copy()
        simple_rnn_state._state(first, stop, x, False, RW, b, True, h)
        others = np.delete(np.arange(8), np.s_[first:stop])
        np.testing.assert_array_equal(h[others], before[others])
    np.testing.assert_array_equal(h, whole)
