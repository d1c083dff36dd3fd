"""Through time, by the public functions: every backend follows the equations, step after step, and back."""

import importlib.util

import numpy as np
import pytest

from scratchnet import activations, kernels

BACKENDS = ["loops", "numpy"] + ["numba"] * (importlib.util.find_spec("numba") is not None)
N, U = 3, 5
# (T, how many xW there are): one step, several, and several with the same input
LENGTHS = [(1, 1), (4, 4), (4, 1)]


def choices():
    """Backends and activations; one that keeps z is for NumPy's kernels, which take any."""
    for backend in BACKENDS:
        for name in ("tanh", "relu") + ("silu",) * (backend == "numpy"):
            yield pytest.param(backend, activations.get(name), id=f"{backend}-{name}")


def slope(activation, z):
    y, cache = activation.forward(z)
    return activation.backward(np.ones_like(y), cache)


@pytest.mark.parametrize("backend, activation", list(choices()))
@pytest.mark.parametrize("T, inputs", LENGTHS)
@pytest.mark.parametrize("with_dy", [True, False])
def test_a_simple_rnn_there_and_back(backend, activation, T, inputs, with_dy):
    rng = np.random.default_rng(0)
    xW, R, dy = rng.normal(size=(inputs, N, U)), rng.normal(size=(U, U)), rng.normal(size=(T, N, U))
    h, z, dh = np.empty((T + 1, N, U)), np.full((T, N, U), np.nan), rng.normal(size=(N, U))
    h[0] = rng.normal(size=(N, U))
    kept = z if activation.keeps == "z" else None

    states, sums = [h[0].copy()], []
    for t in range(T):
        sums.append(states[-1] @ R + xW[t % inputs])
        states.append(activation.forward(sums[-1])[0])
    adjoint, dsums = dh.copy(), [None] * T
    for t in reversed(range(T)):
        adjoint = adjoint + dy[t] if with_dy else adjoint
        dsums[t] = adjoint * slope(activation, sums[t])
        adjoint = dsums[t] @ R.T

    dz = np.empty((T, N, U))
    with kernels.using_backend(backend):
        kernels.simple_rnn_forward(xW, R, h, kept, activation)
        np.testing.assert_allclose(h, states, rtol=0, atol=1e-12)
        if kept is not None:
            np.testing.assert_allclose(z, sums, rtol=0, atol=1e-12)
        kernels.simple_rnn_backward(dy if with_dy else None, dh, R, h, kept, dz, activation)
    np.testing.assert_allclose(dz, dsums, rtol=0, atol=1e-12)
    np.testing.assert_allclose(dh, adjoint, rtol=0, atol=1e-12)


@pytest.mark.parametrize("backend, activation", list(choices()))
@pytest.mark.parametrize("T, inputs", LENGTHS)
@pytest.mark.parametrize("with_dy", [True, False])
def test_an_lstm_there_and_back(backend, activation, T, inputs, with_dy):
    rng = np.random.default_rng(1)
    # the gates' activation is another than the cell's, and keeps z where that does not
    gate = activations.get("silu" if backend == "numpy" and activation.keeps != "z" else "sigmoid")
    xW, R, dy = rng.normal(size=(inputs, N, 4 * U)), 0.3 * rng.normal(size=(U, 4 * U)), rng.normal(size=(T, N, U))
    h, c, a = np.empty((T + 1, N, U)), np.empty((T + 1, N, U)), np.empty((T, N, U))
    h[0], c[0], dh, dc = rng.normal(size=(4, N, U))
    gates, z, dz = (np.full((T, N, 4 * U), np.nan) for _ in range(3))
    kept = z if "z" in (activation.keeps, gate.keeps) else None

    def functions(sums):
        """The four pre-activations with the activation of each."""
        return zip((gate, gate, activation, gate), np.split(sums, 4, axis=-1))

    states, cells, sums, values = [h[0].copy()], [c[0].copy()], [], []
    for t in range(T):
        sums.append(states[-1] @ R + xW[t % inputs])
        i, f, g, o = (function.forward(part)[0] for function, part in functions(sums[-1]))
        values.append((i, f, g, o))
        cells.append(f * cells[-1] + i * g)
        states.append(o * activation.forward(cells[-1])[0])
    d_h, d_c, dsums = dh.copy(), dc.copy(), [None] * T
    for t in reversed(range(T)):
        i, f, g, o = values[t]
        d_h = d_h + dy[t] if with_dy else d_h
        d_c = d_c + d_h * o * slope(activation, cells[t + 1])
        adjoints = d_c * g, d_c * cells[t], d_c * i, d_h * activation.forward(cells[t + 1])[0]
        dsums[t] = np.concatenate([d * slope(f, s) for d, (f, s) in zip(adjoints, functions(sums[t]))], axis=-1)
        d_h, d_c = dsums[t] @ R.T, d_c * f

    with kernels.using_backend(backend):
        kernels.lstm_forward(xW, R, h, c, gates, a, kept, activation, gate)
        np.testing.assert_allclose(h, states, rtol=0, atol=1e-12)
        np.testing.assert_allclose(c, cells, rtol=0, atol=1e-12)
        np.testing.assert_allclose(gates, [np.concatenate(v, axis=-1) for v in values], rtol=0, atol=1e-12)
        kernels.lstm_backward(dy if with_dy else None, dh, dc, R, c, gates, a, kept, dz, activation, gate)
    for found, expected in ((dz, dsums), (dh, d_h), (dc, d_c)):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_convolution_with_its_relu(backend):
    rng = np.random.default_rng(2)
    x, kernel, bias = rng.normal(size=(2, 6, 5, 3)), rng.normal(size=(3, 3, 3, 4)), rng.normal(size=4)
    args = (1, 1), ((1, 1), (1, 1)), (1, 1)
    with kernels.using_backend(backend):
        z = kernels.conv2d_forward(x, kernel, bias, *args)
        assert (z < 0).any()
        y = kernels.conv2d_forward(x, kernel, bias, *args, relu=True)
        np.testing.assert_allclose(y, np.maximum(z, 0), rtol=0, atol=1e-12)
        dy = rng.normal(size=y.shape)
        expected = kernels.conv2d_backward(dy * (z > 0), x, kernel, *args)
        for found, wanted in zip(kernels.conv2d_backward(dy, x, kernel, *args, relu_output=y), expected):
            np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)
        assert kernels.conv2d_backward(dy, x, kernel, *args, needs_dx=False)[0] is None
