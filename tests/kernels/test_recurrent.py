"""One step of the recurrent layers: the three backends agree, and each follows the equations."""

import importlib.util
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import activations
from scratchnet.kernels.loops import recurrent as loops
from scratchnet.kernels.with_numpy import recurrent as with_numpy

needs_numba = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="Numba is not installed")
COMPILED = ("linear", "relu", "tanh", "sigmoid", "hard_sigmoid")


def backends():
    modules = [loops, with_numpy]
    if importlib.util.find_spec("numba") is not None:
        from scratchnet.kernels.with_numba import recurrent as with_numba

        modules.append(with_numba)
    return modules


def lstm_arrays(rng, N, U, dtype):
    z, xW = rng.normal(size=(2, N, 4 * U)).astype(dtype)
    c_prev, dh, dc = rng.normal(size=(3, N, U)).astype(dtype)
    return z, xW, c_prev, dh, dc


def lstm_step(module, arrays, activation, recurrent_activation):
    """Forward and backward of one step: gates, c, a, h, dz and the adjoint of c_prev. Inputs must stay as they are."""
    z, xW, c_prev, dh, dc = (array.copy() for array in arrays)
    gates = np.full_like(z, np.nan)
    c, a, h = (np.full_like(c_prev, np.nan) for _ in range(3))
    module.lstm_step_forward(z, xW, c_prev, gates, c, a, h, activation, recurrent_activation)
    forward = [v.copy() for v in (gates, c, a, h)]
    dz = np.full_like(z, np.nan)
    module.lstm_step_backward(dh, dc, z, c_prev, gates, c, a, dz, activation, recurrent_activation)
    for given_array, now in zip(arrays[1:4], (xW, c_prev, dh)):
        np.testing.assert_array_equal(now, given_array)
    for before, now in zip(forward, (gates, c, a, h)):
        np.testing.assert_array_equal(now, before)
    return [*forward, dz, dc]


@given(
    N=st.integers(1, 4),
    U=st.sampled_from([1, 3, 16, 19]),
    dtype=st.sampled_from([np.float32, np.float64]),
    names=st.sampled_from(list(itertools.product(COMPILED, ("sigmoid", "hard_sigmoid", "tanh")))),
    seed=st.integers(0, 1000),
)
def test_backends_agree_on_an_lstm_step(N, U, dtype, names, seed):
    arrays = lstm_arrays(np.random.default_rng(seed), N, U, dtype)
    functions = [activations.get(name) for name in names]
    expected, *others = (lstm_step(module, arrays, *functions) for module in backends())
    for results in others:
        for result, wanted in zip(results, expected):
            assert result.dtype == dtype
            np.testing.assert_allclose(result, wanted, rtol=0, atol=1e-5 if dtype == np.float32 else 1e-12)


@given(
    N=st.integers(1, 4),
    U=st.sampled_from([1, 3, 16, 19]),
    dtype=st.sampled_from([np.float32, np.float64]),
    name=st.sampled_from(COMPILED),
    seed=st.integers(0, 1000),
)
def test_backends_agree_on_a_simple_rnn_step(N, U, dtype, name, seed):
    arrays = np.random.default_rng(seed).normal(size=(3, N, U)).astype(dtype)
    results = []
    for module in backends():
        z, xW, dh = arrays.copy()
        h, dz = np.full((2, N, U), np.nan, dtype)
        module.simple_rnn_step_forward(z, xW, h, activations.get(name))
        module.simple_rnn_step_backward(dh, h, z, dz, activations.get(name))
        np.testing.assert_array_equal(xW, arrays[1])
        np.testing.assert_array_equal(dh, arrays[2])
        results.append((h, dz))
    for h, dz in results[1:]:
        np.testing.assert_allclose(h, results[0][0], rtol=0, atol=1e-6 if dtype == np.float32 else 1e-13)
        np.testing.assert_allclose(dz, results[0][1], rtol=0, atol=1e-5 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("module", backends(), ids=lambda module: module.__name__.split(".")[-2])
def test_gates_may_be_written_over_the_projected_input(module):
    arrays = lstm_arrays(np.random.default_rng(0), 3, 18, np.float32)
    gates, c, a, h = lstm_step(module, arrays, activations.tanh, activations.sigmoid)[:4]
    z, xW, c_prev = (array.copy() for array in arrays[:3])
    c2, a2, h2 = np.empty((3, *c.shape), c.dtype)
    module.lstm_step_forward(z, xW, c_prev, xW, c2, a2, h2, activations.tanh, activations.sigmoid)
    for again, once in zip((xW, c2, a2, h2), (gates, c, a, h)):
        np.testing.assert_array_equal(again, once)


@pytest.mark.parametrize("module", backends(), ids=lambda module: module.__name__.split(".")[-2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_values_saturate_and_nan_stays_nan(module, dtype):
    xW = np.array([[-1e4, 1e4, -100.0, 100.0, np.inf, -np.inf, 0.0, np.nan]], dtype)
    for name, expected in (
        ("sigmoid", [0, 1, 0, 1, 1, 0, 0.5, np.nan]),
        ("tanh", [-1, 1, -1, 1, 1, -1, 0, np.nan]),
        ("hard_sigmoid", [0, 1, 0, 1, 1, 0, 0.5, np.nan]),
        ("relu", [0, 1e4, 0, 100, np.inf, 0, 0, np.nan]),
    ):
        h = np.empty_like(xW)
        module.simple_rnn_step_forward(np.zeros_like(xW), xW, h, activations.get(name))
        np.testing.assert_allclose(h[0], expected, rtol=1e-6, atol=1e-37)


@needs_numba
@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_compiled_float32_functions_are_right_to_a_few_units_in_the_last_place(name):
    from scratchnet.kernels.with_numba import recurrent as with_numba

    xW = np.concatenate([np.linspace(-80, 80, 40001), np.logspace(-30, 1, 2000), -np.logspace(-30, 1, 2000)])
    xW = xW.astype(np.float32)[np.newaxis]
    h = np.empty_like(xW)
    with_numba.simple_rnn_step_forward(np.zeros_like(xW), xW, h, activations.get(name))
    exact = activations.get(name)(xW.astype(np.float64))
    assert np.max(np.abs(h - exact) / np.spacing(np.abs(exact).astype(np.float32))) < 4


def test_derivative_at_a_kink_is_that_of_the_activation():
    h, dh = np.array([[0.0, 1.0, 0.5]]), np.ones((1, 3))
    for name, expected in (("relu", [0, 1, 1]), ("hard_sigmoid", [0, 0, 1 / 6])):
        for module in backends():
            dz = np.empty_like(h)
            module.simple_rnn_step_backward(dh, h, None, dz, activations.get(name))
            np.testing.assert_allclose(dz[0], expected, rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("same_at_every_step", [False, True])
@pytest.mark.parametrize("with_dy", [False, True])
def test_backends_agree_on_the_way_through_time(dtype, same_at_every_step, with_dy):
    T, N, U = 5, 3, 4
    rng = np.random.default_rng(0)

    def normal(*shape):
        return rng.normal(size=shape).astype(dtype)

    xW, R, h0, c0 = normal(1 if same_at_every_step else T, N, 4 * U), normal(U, 4 * U), normal(N, U), normal(N, U)
    dy, dh_T, dc_T = normal(N, T, U).transpose(1, 0, 2) if with_dy else None, normal(N, U), normal(N, U)
    results = []
    for module in backends():
        (h, c), (dh, dc) = np.full((2, T + 1, N, U), np.nan, dtype), (dh_T.copy(), dc_T.copy())
        h[0], c[0] = h0, c0
        gates, dz = np.full((2, T, N, 4 * U), np.nan, dtype)
        a = np.full((T, N, U), np.nan, dtype)
        module.lstm_forward(xW, R, h, c, gates, a, None, activations.tanh, activations.sigmoid)
        module.lstm_backward(dy, dh, dc, R, c, gates, a, None, dz, activations.tanh, activations.sigmoid)
        lstm = [h, c, gates, a, dh, dc, dz]
        h, dh, dz = np.full((T + 1, N, U), np.nan, dtype), dh_T.copy(), np.full((T, N, U), np.nan, dtype)
        h[0] = h0
        module.simple_rnn_forward(np.ascontiguousarray(xW[..., :U]), R[:, :U], h, None, activations.tanh)
        module.simple_rnn_backward(dy, dh, R[:, :U], h, None, dz, activations.tanh)
        results.append([*lstm, h, dh, dz])
    for others in results[1:]:
        for found, expected in zip(others, results[0]):
            assert found.dtype == dtype
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 if dtype == np.float32 else 1e-12)
