"""Through time: every backend follows the equations, step after step, and back; and all of them agree."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import activations
from scratchnet.kernels import numba_is_installed, operations
from scratchnet.kernels.steps import SimpleRNNSteps
from scratchnet.kernels.with_numpy import gru as with_numpy_gru
from scratchnet.kernels.with_numpy import recurrent as with_numpy

needs_numba = pytest.mark.skipif(not numba_is_installed(), reason="Numba is not installed")
BACKENDS = [operations(name) for name in ["loops", "numpy"] + ["numba"] * numba_is_installed()]
EVERY_BACKEND = pytest.mark.parametrize("backend", BACKENDS, ids=["loops", "numpy", "numba"][: len(BACKENDS)])
COMPILED = ("linear", "relu", "tanh", "sigmoid", "hard_sigmoid")
N, U = 3, 5


def through(activation, z, dy):
    """dz for y = f(z)."""
    return activation.backward(dy, activation.forward(z)[1])


def drawn(rng, T, gates, repeated=False):
    """xW, R and b; of an xW that is the same at every step there is only one in memory."""
    xW = rng.normal(size=(1 if repeated else T, N, gates * U))
    R, b = 0.5 * rng.normal(size=(U, gates * U)), rng.normal(size=gates * U)
    return np.broadcast_to(xW, (T, N, gates * U)), R, b


# ---- the equations, with NumPy and in one place ----


def simple_rnn(xW, R, b, h0, dy, dh, activation):
    """h, dz and dh0."""
    T = len(xW)
    h, z = [h0], []
    for t in range(T):
        z.append(xW[t] + h[t] @ R + b)
        h.append(activation(z[t]))
    dz = [None] * T
    for t in reversed(range(T)):
        dh = dh + dy[t]
        dz[t] = through(activation, z[t], dh)
        dh = dz[t] @ R.T
    return np.array(h), np.array(dz), dh


def lstm(xW, R, b, h0, c0, dy, dh, dc, act, rec):
    """i, f, g, o, c, h, dz, dh0 and dc0."""
    T, functions = len(xW), (rec, rec, act, rec)
    h, c, z, gates = [h0], [c0], [], []
    for t in range(T):
        z.append(np.split(xW[t] + h[t] @ R + b, 4, axis=-1))
        i, f, g, o = (function(part) for function, part in zip(functions, z[t]))
        gates.append((i, f, g, o))
        c.append(f * c[t] + i * g)
        h.append(o * act(c[t + 1]))
    dz = [None] * T
    for t in reversed(range(T)):
        i, f, g, o = gates[t]
        dh = dh + dy[t]
        dc = dc + through(act, c[t + 1], dh * o)
        adjoints = dc * g, dc * c[t], dc * i, dh * act(c[t + 1])
        dz[t] = np.concatenate([through(*all_three) for all_three in zip(functions, z[t], adjoints)], axis=-1)
        dh, dc = dz[t] @ R.T, dc * f
    return *np.array(gates).swapaxes(0, 1), np.array(c), np.array(h), np.array(dz), dh, dc


@EVERY_BACKEND
@pytest.mark.parametrize("name", ["tanh", "relu", "silu", "gelu", "softmax"])
@pytest.mark.parametrize("T, repeated", [(1, False), (4, False), (4, True)])
@pytest.mark.parametrize("with_dy", [True, False])
def test_a_simple_rnn_there_and_back(backend, name, T, repeated, with_dy):
    rng, activation = np.random.default_rng(0), activations.get(name)
    (xW, R, b), dy, (h0, dh) = drawn(rng, T, 1, repeated), rng.normal(size=(T, N, U)), rng.normal(size=(2, N, U))
    expected = simple_rnn(xW, R, b, h0, dy * with_dy, dh, activation)
    steps = backend.simple_rnn_forward(xW, R, b, h0, activation)
    found = steps.h, *backend.simple_rnn_backward(dy if with_dy else None, dh, R, steps, activation)
    for one, wanted in zip(found, expected):
        np.testing.assert_allclose(one, wanted, rtol=0, atol=1e-12)


@EVERY_BACKEND
@pytest.mark.parametrize(
    "names",
    [
        ("tanh", "sigmoid"),
        ("relu", "sigmoid"),
        ("relu", "hard_sigmoid"),
        ("gelu", "sigmoid"),
        ("tanh", "silu"),
        ("softmax", "tanh"),
    ],
)
@pytest.mark.parametrize("T, repeated", [(1, False), (4, False), (4, True)])
@pytest.mark.parametrize("with_dy", [True, False])
def test_an_lstm_there_and_back(backend, names, T, repeated, with_dy):
    rng, functions = np.random.default_rng(1), [activations.get(name) for name in names]
    (xW, R, b), dy = drawn(rng, T, 4, repeated), rng.normal(size=(T, N, U))
    h0, c0, dh, dc = rng.normal(size=(4, N, U))
    expected = lstm(xW, R, b, h0, c0, dy * with_dy, dh, dc, *functions)
    steps = backend.lstm_forward(xW, R, b, h0, c0, *functions)
    dz, dz_sum, *of_states = backend.lstm_backward(dy if with_dy else None, dh, dc, R, steps, *functions)
    np.testing.assert_allclose(dz_sum, dz.sum(axis=0), rtol=0, atol=1e-12)
    backward = dz, *of_states
    for one, wanted in zip((steps.i, steps.f, steps.g, steps.o, steps.c, steps.h, *backward), expected):
        np.testing.assert_allclose(one, wanted, rtol=0, atol=1e-11)
    np.testing.assert_allclose(steps.tanh_c, functions[0](steps.c[1:]), rtol=0, atol=1e-12)


def gru(xW, R, b, c, h0, dy, dh, act, rec, reset_after):
    """z, r, g, h, ds, dq and dh0."""
    T, U = len(xW), len(R)
    R_z, R_r, R_g = np.split(R, 3, axis=1)
    c_z, c_r, c_g = np.split(c, 3) if reset_after else [np.zeros(U)] * 3
    h, sums, gates, ds, dqs = [h0], [], [], [None] * T, [None] * T
    for t in range(T):
        s_z, s_r, s_g = np.split(xW[t] + b, 3, axis=-1)
        s_z, s_r = s_z + h[t] @ R_z + c_z, s_r + h[t] @ R_r + c_r
        z, r = rec(s_z), rec(s_r)
        q = h[t] @ R_g + c_g if reset_after else r * h[t]
        s_g = s_g + (r * q if reset_after else q @ R_g)
        sums.append((s_z, s_r, s_g))
        gates.append((z, r, act(s_g), q))
        h.append(z * h[t] + (1 - z) * act(s_g))
    for t in reversed(range(T)):
        (s_z, s_r, s_g), (z, r, g, q) = sums[t], gates[t]
        dh = dh + dy[t]
        ds_g = through(act, s_g, dh * (1 - z))
        dq = ds_g * r if reset_after else ds_g @ R_g.T
        ds_z = through(rec, s_z, dh * (h[t] - g))
        ds_r = through(rec, s_r, ds_g * q if reset_after else dq * h[t])
        dh = dh * z + (dq @ R_g.T if reset_after else dq * r) + ds_z @ R_z.T + ds_r @ R_r.T
        ds[t], dqs[t] = np.concatenate([ds_z, ds_r, ds_g], axis=-1), dq
    z, r, g, _ = np.array(gates).swapaxes(0, 1)
    return z, r, g, np.array(h), np.array(ds), np.array(dqs), dh


@EVERY_BACKEND
@pytest.mark.parametrize("names", [("tanh", "sigmoid"), ("gelu", "hard_sigmoid"), ("softmax", "silu")])
@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("T, repeated", [(1, False), (4, False), (4, True)])
@pytest.mark.parametrize("with_dy", [True, False])
def test_a_gru_there_and_back(backend, names, reset_after, T, repeated, with_dy):
    rng, functions = np.random.default_rng(4), [activations.get(name) for name in names]
    (xW, R, b), c, dy = drawn(rng, T, 3, repeated), rng.normal(size=3 * U), rng.normal(size=(T, N, U))
    h0, dh = rng.normal(size=(2, N, U))
    expected = gru(xW, R, b, c, h0, dy * with_dy, dh, *functions, reset_after)
    steps = backend.gru_forward(xW, R, b, c if reset_after else None, h0, *functions, reset_after)
    backward = backend.gru_backward(dy if with_dy else None, dh, R, steps, *functions, reset_after)
    for one, wanted in zip((steps.z, steps.r, steps.g, steps.h, *backward), expected):
        np.testing.assert_allclose(one, wanted, rtol=1e-12, atol=1e-11)


def run(backend, cell, arrays, act, rec, mask, drop):
    """The states of a cell, h first, and the adjoints of what it is given, those of h0 and of the sums first."""
    gates = {"simple_rnn": 1, "lstm": 4}.get(cell, 3)
    xW, R, b, c, h0, c0, dy, dh, dc = arrays
    U = len(R)
    xW, R, b, c, more = xW[..., : gates * U], R[:, : gates * U], b[: gates * U], c[: gates * U], (mask, drop)
    if cell == "simple_rnn":
        steps = backend.simple_rnn_forward(xW, R, b, h0, act, *more)
        dz, dh0 = backend.simple_rnn_backward(dy, dh, R, steps, act, *more)
        return [steps.h], [dh0, dz]
    if cell == "lstm":
        steps = backend.lstm_forward(xW, R, b, h0, c0, act, rec, *more)
        dz, dz_sum, dh0, dc0 = backend.lstm_backward(dy, dh, dc, R, steps, act, rec, *more)
        np.testing.assert_allclose(dz_sum, dz.sum(axis=0), rtol=0, atol=1e-5 if dz.dtype == np.float32 else 1e-12)
        return [steps.h, steps.c], [dh0, dz, dc0]
    steps = backend.gru_forward(xW, R, b, c, h0, act, rec, cell == "gru", *more)
    ds, dq, dh0 = backend.gru_backward(dy, dh, R, steps, act, rec, cell == "gru", *more)
    return [steps.h], [dh0, ds, dq]


EVERY_CELL = pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru", "gru, reset before"])


def drawn_for_any_cell(rng, T, N=N, U=U):
    xW, dy = rng.normal(size=(T, N, 4 * U)), rng.normal(size=(T, N, U))
    (R, (b, c)), (h0, c0, dh, dc) = (
        (rng.normal(size=(U, 4 * U)), rng.normal(size=(2, 4 * U))),
        rng.normal(size=(4, N, U)),
    )
    return xW, R, b, c, h0, c0, dy, dh, dc


@EVERY_CELL
@EVERY_BACKEND
@pytest.mark.parametrize("names", [("tanh", "sigmoid"), ("gelu", "hard_sigmoid")])
def test_a_masked_step_is_as_if_it_were_not_there(backend, cell, names):
    rng, functions = np.random.default_rng(5), [activations.get(name) for name in names]
    arrays, mask = drawn_for_any_cell(rng, 4), np.array([[1, 0, 1], [0, 0, 1], [1, 0, 1], [1, 0, 0]], bool)
    (h, *_), (dh0, dz, *_) = run(backend, cell, arrays, *functions, mask, None)
    xW, R, b, c, h0, c0, dy, dh, dc = arrays
    for n, counts in enumerate(mask.T):
        np.testing.assert_array_equal(dz[~counts][:, n], 0)
        if not counts.any():
            np.testing.assert_array_equal(h[:, n], np.broadcast_to(h0[n], h[:, n].shape))
            np.testing.assert_allclose(dh0[n], dh[n] + dy[:, n].sum(axis=0), rtol=0, atol=1e-14)
            continue
        # What a masked step's output receives goes to the step that counts before it.
        received, kept = np.zeros_like(dy[:, n]), -1
        for t in range(4):
            kept = t if counts[t] else kept
            received[kept] += dy[t, n]
        row = slice(n, n + 1)
        shorter = xW[counts][:, row], R, b, c, h0[row], c0[row], received[counts][:, None], dh[row], dc[row]
        (wanted_h, *_), (wanted_dh0, wanted_dz, *_) = run(backend, cell, shorter, *functions, None, None)
        np.testing.assert_allclose(h[1:][counts][:, n], wanted_h[1:, 0], rtol=0, atol=1e-14)
        np.testing.assert_allclose(dz[counts][:, n], wanted_dz[:, 0], rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(dh0[row], wanted_dh0, rtol=1e-12, atol=1e-12)


@EVERY_CELL
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("names", [("tanh", "sigmoid"), ("relu", "sigmoid"), ("gelu", "hard_sigmoid")])
@pytest.mark.parametrize("masked, dropped", [(True, False), (False, True), (True, True)])
def test_backends_agree_where_steps_are_masked_and_states_dropped(cell, dtype, names, masked, dropped):
    rng, functions = np.random.default_rng(6), [activations.get(name) for name in names]
    arrays = [0.5 * array.astype(dtype) for array in drawn_for_any_cell(rng, 5)]
    mask = rng.random((5, N)) < 0.6 if masked else None
    gates = {"simple_rnn": 1, "lstm": 4}.get(cell, 3)
    drop = 2 * (rng.random((gates, N, U)) < 0.5).astype(dtype) if dropped else None
    expected, *others = (sum(run(backend, cell, arrays, *functions, mask, drop), []) for backend in BACKENDS)
    bound = 1e-5 if dtype == np.float32 else 1e-12
    for results in others:
        for found, wanted in zip(results, expected):
            assert found.dtype == dtype
            np.testing.assert_allclose(found, wanted, rtol=bound, atol=bound * np.abs(wanted).max())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 4), st.sampled_from([1, 3, 16, 19])),
    names=st.sampled_from(list(itertools.product(COMPILED, ("sigmoid", "hard_sigmoid", "tanh")))),
    seed=st.integers(0, 1000),
)
def test_backends_agree_whatever_the_sizes(sizes, dtype, names, seed):
    T, rows, units = sizes
    rng, (act, rec) = np.random.default_rng(seed), [activations.get(name) for name in names]
    xW, R, b = (0.5 * rng.normal(size=shape) for shape in ((T, rows, 4 * units), (units, 4 * units), 4 * units))
    dy, (h0, c0, dh, dc) = rng.normal(size=(T, rows, units)), rng.normal(size=(4, rows, units))
    xW, R, b, dy, h0, c0, dh, dc = (array.astype(dtype) for array in (xW, R, b, dy, h0, c0, dh, dc))
    one_gate = xW[..., :units], R[:, :units], b[:units]
    results = []
    for backend in BACKENDS:
        steps = backend.lstm_forward(xW, R, b, h0, c0, act, rec)
        result = [*steps[1:], *backend.lstm_backward(dy, dh, dc, R, steps, act, rec)]
        steps = backend.simple_rnn_forward(*one_gate, h0, act)
        results.append([*result, steps.h, *backend.simple_rnn_backward(dy, dh, one_gate[1], steps, act)])
    bound = 1e-5 if dtype == np.float32 else 1e-12
    for others in results[1:]:
        for found, expected in zip(others, results[0]):
            assert found.dtype == dtype
            np.testing.assert_allclose(found, expected, rtol=0, atol=bound * max(1, np.abs(expected).max()))


@EVERY_BACKEND
def test_nothing_given_is_changed(backend):
    rng, (act, rec) = np.random.default_rng(2), (activations.tanh, activations.sigmoid)
    given = [*drawn(rng, 3, 4), *rng.normal(size=(4, N, U)), rng.normal(size=(3, N, U))]
    xW, R, b, h0, c0, dh, dc, dy = given
    kept = [array.copy() for array in given]
    for array in given:
        array.flags.writeable = False
    steps = backend.lstm_forward(xW, R, b, h0, c0, act, rec)
    kept_steps = [None if value is None else value.copy() for value in steps]
    first, second = (backend.lstm_backward(dy, dh, dc, R, steps, act, rec) for _ in range(2))
    for one, other in [*zip(given, kept), *zip(steps, kept_steps), *zip(first, second)]:
        np.testing.assert_array_equal(one, other)


@EVERY_BACKEND
def test_an_activation_of_ones_own_is_used_whatever_its_name(backend):
    square = activations.Activation("tanh", lambda z, out=None: z * z, lambda dy, z: 2 * z * dy, keeps="z")
    xW, R, b = drawn(np.random.default_rng(3), 1, 1)
    steps = backend.simple_rnn_forward(xW, R, b, np.zeros((N, U)), square)
    np.testing.assert_allclose(steps.h[1], (xW[0] + b) ** 2, rtol=1e-15)
    dz, _ = backend.simple_rnn_backward(None, np.ones((N, U)), R, steps, square)
    np.testing.assert_allclose(dz[0], 2 * (xW[0] + b), rtol=1e-15)


def one_step(backend, z, activation):
    """f(z) by a step of a SimpleRNN, for a row z."""
    U = z.shape[-1]
    zeros = np.zeros((1, U), z.dtype)
    return backend.simple_rnn_forward(z[np.newaxis], np.zeros((U, U), z.dtype), zeros[0], zeros, activation)


@EVERY_BACKEND
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_values_saturate_and_nan_stays_nan(backend, dtype):
    z = np.array([[-1e4, 1e4, -100.0, 100.0, np.inf, -np.inf, 0.0, np.nan]], dtype)
    for name, expected in (
        ("sigmoid", [0, 1, 0, 1, 1, 0, 0.5, np.nan]),
        ("tanh", [-1, 1, -1, 1, 1, -1, 0, np.nan]),
        ("hard_sigmoid", [0, 1, 0, 1, 1, 0, 0.5, np.nan]),
        ("relu", [0, 1e4, 0, 100, np.inf, 0, 0, np.nan]),
    ):
        h = one_step(backend, z, activations.get(name)).h[1]
        np.testing.assert_allclose(h[0], expected, rtol=1e-6, atol=1e-37)


@needs_numba
@EVERY_CELL
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows, units", [(1, 16), (9, 16), (13, 19), (40, 33)])
def test_each_gate_sees_what_is_not_dropped_for_it_in_compiled_code_too(cell, dtype, rows, units, monkeypatch):
    rng, functions = np.random.default_rng(8), [activations.get(name) for name in ("tanh", "sigmoid")]
    arrays = [0.3 * array.astype(dtype) for array in drawn_for_any_cell(rng, 4, rows, units)]
    gates = {"simple_rnn": 1, "lstm": 4}.get(cell, 3)
    drop = 2 * (rng.random((gates, rows, units)) < 0.5).astype(dtype)
    expected = sum(run(operations("numpy"), cell, arrays, *functions, None, drop), [])
    for module in (with_numpy, with_numpy_gru):
        for function in [name for name in vars(module) if name.endswith(("_forward", "_backward"))]:
            monkeypatch.setattr(module, function, None)
    found = sum(run(operations("numba"), cell, arrays, *functions, None, drop), [])
    bound = 1e-5 if dtype == np.float32 else 1e-12
    for one, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, wanted, rtol=bound, atol=bound * np.abs(wanted).max())


@needs_numba
@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_compiled_float32_functions_are_right_to_a_few_units_in_the_last_place(name):
    z = np.concatenate([np.linspace(-80, 80, 40001), np.logspace(-30, 1, 2000), -np.logspace(-30, 1, 2000)])
    z = z.astype(np.float32).reshape(-1, 1)  # a sample each
    zeros = np.zeros_like(z)
    h = operations("numba").simple_rnn_forward(z[np.newaxis], zeros[:1], zeros[0], zeros, activations.get(name)).h[1]
    exact = activations.get(name)(z.astype(np.float64))
    assert np.max(np.abs(h - exact) / np.spacing(np.abs(exact).astype(np.float32))) < 4


@EVERY_BACKEND
def test_derivative_at_a_kink_is_that_of_the_activation(backend):
    h = np.array([[[0.0, 0.0, 0.0]], [[0.0, 1.0, 0.5]]])
    steps = SimpleRNNSteps(h[:1], h)
    for name, expected in (("relu", [0, 1, 1]), ("hard_sigmoid", [0, 0, 1 / 6])):
        dz, _ = backend.simple_rnn_backward(None, np.ones((1, 3)), np.zeros((3, 3)), steps, activations.get(name))
        np.testing.assert_allclose(dz[0, 0], expected, rtol=1e-15)


@pytest.mark.parametrize("name", ["gelu", "softmax", "tanh"])
def test_the_definition_computes_every_activation_itself(name, monkeypatch):
    for function in ("lstm_forward", "lstm_backward", "simple_rnn_forward", "simple_rnn_backward"):
        monkeypatch.setattr(with_numpy, function, None)
    for function in ("gru_forward", "gru_backward"):
        monkeypatch.setattr(with_numpy_gru, function, None)
    arrays = drawn_for_any_cell(np.random.default_rng(7), 2)
    for cell in ("simple_rnn", "lstm", "gru", "gru, reset before"):
        (h, *_), _ = run(BACKENDS[0], cell, arrays, activations.get(name), activations.sigmoid, None, None)
        assert np.isfinite(h).all()
