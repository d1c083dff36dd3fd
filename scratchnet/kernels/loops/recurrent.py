"""The recurrent layers, as their equations define them: one time step after the other, one number at a time.

The layers' files (`scratchnet.layers.rnn`) give the equations; the names here are the same. Time is the first axis of
all arrays: (T, N, U). A kernel goes through all steps. Forward returns everything it has computed as a record
(`scratchnet.kernels.steps`); backward takes any object with the same fields.

`xW` is the input's part of the pre-activations, ``x W``, for all steps at once; `act` and `rec` are Activations, of the
candidate and of the gates. `mask` (T, N) says which steps count for which sample: at a step that does not, the state
stays as it was, and backward passes on what it has received. `drop` (G, N, U), one mask for each of the G gates,
multiplies the state in the product with R (`scratchnet.kernels.dropped`). Without a mask all steps count; without
`drop` nothing is dropped.
"""

import math

import numpy as np

from scratchnet.kernels.loops.matrix_product import matmul
from scratchnet.kernels.steps import LSTMSteps, SimpleRNNSteps


def _sigmoid(z):
    return 1 / (1 + math.exp(min(-z, 700.0)))  # beyond, math.exp overflows


# name: the function of z, and its derivative from the function's value y
_TABLE = {
    "linear": (lambda z: z, lambda y: 1),
    "relu": (lambda z: max(z, 0), lambda y: 1 if y > 0 else 0),
    "tanh": (math.tanh, lambda y: 1 - y * y),
    "sigmoid": (_sigmoid, lambda y: y * (1 - y)),
    "hard_sigmoid": (lambda z: min(max(z / 6 + 0.5, 0), 1), lambda y: 1 / 6 if 0 < y < 1 else 0),
}


def apply(activation, z):
    """``y = f(z)`` for the units (U,) of one sample."""
    if not (activation.standard and activation.name in _TABLE):
        return activation.forward(z)[0]  # any other: it may, as softmax does, look at all units together
    f, _ = _TABLE[activation.name]
    y = np.empty_like(z)
    for u in range(len(z)):
        y[u] = f(float(z[u]))
    return y


def adjoint(activation, dy, z, y):
    """``dz = dy * f'(z)`` for y = f(z), the units (U,) of one sample."""
    if not (activation.standard and activation.name in _TABLE):
        return activation.adjoint(dy, z, y)
    _, slope = _TABLE[activation.name]
    dz = np.empty_like(y)
    for u in range(len(y)):
        dz[u] = dy[u] * slope(float(y[u]))
    return dz


def product(h, drop, R):
    """``h R``: (N, G U), where each gate sees what is not dropped for it."""
    if drop is None:
        return matmul(h, R)
    return np.concatenate([matmul(h * m, R_g) for m, R_g in zip(drop, np.split(R, len(drop), axis=1))], axis=1)


def adjoint_of_product(dz, drop, R):
    """dh (N, U) for z = h R."""
    if drop is None:
        return matmul(dz, R.T)
    gates = zip(np.split(dz, len(drop), axis=1), drop, np.split(R, len(drop), axis=1))
    return sum(matmul(dz_g, R_g.T) * m for dz_g, m, R_g in gates)


def simple_rnn_forward(xW, R, b, h0, act, mask=None, drop=None):
    """``z_t = x_t W + h_(t-1) R + b`` and ``h_t = f(z_t)``, step by step.

    xW (T, N, U), R (U, U), b (U,), h0 (N, U) -> `SimpleRNNSteps`.
    """
    (T, N, U), dtype = xW.shape, xW.dtype
    z = np.zeros((T, N, U), dtype)
    h = np.empty((T + 1, N, U), dtype)
    h[0] = h0
    for t in range(T):
        hR = matmul(h[t], R) if drop is None else product(h[t], drop, R)
        for n in range(N):
            if mask is not None and not mask[t, n]:
                h[t + 1, n] = h[t, n]
                continue
            for u in range(U):
                z[t, n, u] = xW[t, n, u] + hR[n, u] + b[u]
            h[t + 1, n] = apply(act, z[t, n])
    return SimpleRNNSteps(z, h)


def simple_rnn_backward(dy, dh, R, steps, act, mask=None, drop=None):
    """The adjoint of `simple_rnn_forward`: ``dz, dh0``.

    dy (T, N, U), or None for zeros, is what each h_t receives as the layer's output; dh (N, U) what the last one
    receives besides -> dz (T, N, U), dh0 (N, U).
    """
    z, h = steps.z, steps.h
    T, N, U = len(h) - 1, *h.shape[1:]
    dz = np.zeros((T, N, U), h.dtype)
    for t in reversed(range(T)):
        dh_t = dh if dy is None else dh + dy[t]  # h_t goes into the next step, and into y
        past = np.zeros_like(dh)
        for n in range(N):
            if mask is not None and not mask[t, n]:
                past[n] = dh_t[n]
                continue
            dz[t, n] = adjoint(act, dh_t[n], z[t, n], h[t + 1, n])  # h = f(z)
        dh = past + (
            matmul(dz[t], R.T) if drop is None else adjoint_of_product(dz[t], drop, R)
        )  # z = x W + h_prev R + b
    return dz, dh


def lstm_forward(xW, R, b, h0, c0, act, rec, mask=None, drop=None):
    """``z_t = x_t W + h_(t-1) R + b``, the gates i, f, g, o, the cell c and the state h, step by step.

    xW (T, N, 4U), R (U, 4U), b (4U,), h0 and c0 (N, U) -> `LSTMSteps`.
    """
    (T, N, _), U, dtype = xW.shape, len(R), xW.dtype
    z = np.zeros((T, N, 4 * U), dtype)
    i, f, g, o, tanh_c = np.zeros((5, T, N, U), dtype)
    h, c = np.empty((2, T + 1, N, U), dtype)
    h[0], c[0] = h0, c0
    for t in range(T):
        hR = matmul(h[t], R) if drop is None else product(h[t], drop, R)
        for n in range(N):
            if mask is not None and not mask[t, n]:
                h[t + 1, n], c[t + 1, n] = h[t, n], c[t, n]
                continue
            for k in range(4 * U):
                z[t, n, k] = xW[t, n, k] + hR[n, k] + b[k]
            i[t, n] = apply(rec, z[t, n, :U])
            f[t, n] = apply(rec, z[t, n, U : 2 * U])
            g[t, n] = apply(act, z[t, n, 2 * U : 3 * U])
            o[t, n] = apply(rec, z[t, n, 3 * U :])
            for u in range(U):
                c[t + 1, n, u] = f[t, n, u] * c[t, n, u] + i[t, n, u] * g[t, n, u]
            tanh_c[t, n] = apply(act, c[t + 1, n])
            for u in range(U):
                h[t + 1, n, u] = o[t, n, u] * tanh_c[t, n, u]
    return LSTMSteps(z, i, f, g, o, c, tanh_c, h)


def lstm_backward(dy, dh, dc, R, steps, act, rec, mask=None, drop=None):
    """The adjoint of `lstm_forward`: ``dz, dz_sum, dh0, dc0``.

    dy (T, N, U), or None for zeros, is what each h_t receives as the layer's output; dh and dc (N, U) what the last h
    and c receive besides -> dz (T, N, 4U), dz_sum (N, 4U) over all steps, which b receives, dh0 and dc0 (N, U).
    """
    z, i, f, g, o, c, tanh_c = steps.z, steps.i, steps.f, steps.g, steps.o, steps.c, steps.tanh_c
    T, N, U = i.shape
    dz, dz_sum = np.zeros((T, N, 4 * U), i.dtype), np.zeros((N, 4 * U), i.dtype)
    di, df, dg, do, d_tanh_c = np.empty((5, U), i.dtype)
    for t in reversed(range(T)):
        dh_t = dh if dy is None else dh + dy[t]  # h_t goes into the next step, and into y
        dc_t, dc, past = dc, np.empty_like(dc), np.zeros_like(dh)
        for n in range(N):
            if mask is not None and not mask[t, n]:
                past[n], dc[n] = dh_t[n], dc_t[n]
                continue
            for u in range(U):
                do[u] = dh_t[n, u] * tanh_c[t, n, u]  # h = o * tanh(c)
                d_tanh_c[u] = dh_t[n, u] * o[t, n, u]
            dc_n = dc_t[n] + adjoint(act, d_tanh_c, c[t + 1, n], tanh_c[t, n])
            for u in range(U):
                di[u] = dc_n[u] * g[t, n, u]  # c = f * c_prev + i * g
                df[u] = dc_n[u] * c[t, n, u]
                dg[u] = dc_n[u] * i[t, n, u]
                dc[n, u] = dc_n[u] * f[t, n, u]
            z_n, dz_n = z[t, n], dz[t, n]
            dz_n[:U] = adjoint(rec, di, z_n[:U], i[t, n])
            dz_n[U : 2 * U] = adjoint(rec, df, z_n[U : 2 * U], f[t, n])
            dz_n[2 * U : 3 * U] = adjoint(act, dg, z_n[2 * U : 3 * U], g[t, n])
            dz_n[3 * U :] = adjoint(rec, do, z_n[3 * U :], o[t, n])
            for k in range(4 * U):
                dz_sum[n, k] += dz_n[k]
        dh = past + (
            matmul(dz[t], R.T) if drop is None else adjoint_of_product(dz[t], drop, R)
        )  # z = x W + h_prev R + b
    return dz, dz_sum, dh, dc
