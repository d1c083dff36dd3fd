"""The recurrent layers, vectorised over the batch: a line for each equation, with any activation.

`scratchnet.kernels.loops.recurrent` defines and documents them.

``x W + b`` does not depend on the state, so it is computed for all steps before the first one. A step is then one
matrix product with R, and elementwise functions. Its results are written straight into the arrays of all steps; each
gate has an array of its own, so that its numbers lie side by side.

Cost: 2 T N U G U floating-point operations for the products of G gates, forward and backward alike.
"""

import numpy as np

from scratchnet.kernels import dropped
from scratchnet.kernels.steps import LSTMSteps, SimpleRNNSteps


def simple_rnn_forward(xW, R, b, h0, act, mask=None, drop=None):
    T, N, U = xW.shape
    z = xW + b  # (T, N, U)
    h = np.empty((T + 1, N, U), z.dtype)
    h[0] = h0
    for t in range(T):
        z[t] += h[t] @ R if drop is None else dropped.product(h[t], drop, R)
        h[t + 1], _ = act.forward(z[t])
        if mask is not None:
            h[t + 1] = np.where(mask[t, :, None], h[t + 1], h[t])
    return SimpleRNNSteps(z, h)


def simple_rnn_backward(dy, dh, R, steps, act, mask=None, drop=None):
    z, h = steps.z, steps.h
    dz = np.empty_like(h[1:])
    R_T = np.ascontiguousarray(R.T)  # once, not in every product
    for t in reversed(range(len(dz))):
        dh_t = dh if dy is None else dh + dy[t]  # h_t goes into the next step, and into y
        if mask is not None:
            (past,), (dh_t,) = divided(mask[t], dh_t)
        dz[t] = act.adjoint(dh_t, z[t], h[t + 1])  # h = f(z)
        dh = dz[t] @ R_T if drop is None else dropped.adjoint_of_x(dz[t], drop, R)  # z = x W + h_prev R + b
        if mask is not None:
            dh = dh + past
    return dz, dh


def lstm_forward(xW, R, b, h0, c0, act, rec, mask=None, drop=None):
    (T, N, _), U = xW.shape, len(R)
    z = xW + b  # (T, N, 4U)
    z_i, z_f, z_g, z_o = np.split(z, 4, axis=-1)  # views (T, N, U)
    i, f, g, o, tanh_c = np.empty((5, T, N, U), z.dtype)
    h, c = np.empty((2, T + 1, N, U), z.dtype)
    h[0], c[0] = h0, c0
    for t in range(T):
        z[t] += h[t] @ R if drop is None else dropped.product(h[t], drop, R)
        i[t], _ = rec.forward(z_i[t])
        f[t], _ = rec.forward(z_f[t])
        g[t], _ = act.forward(z_g[t])
        o[t], _ = rec.forward(z_o[t])
        c[t + 1] = f[t] * c[t] + i[t] * g[t]
        tanh_c[t], _ = act.forward(c[t + 1])
        h[t + 1] = o[t] * tanh_c[t]
        if mask is not None:
            c[t + 1] = np.where(mask[t, :, None], c[t + 1], c[t])
            h[t + 1] = np.where(mask[t, :, None], h[t + 1], h[t])
    return LSTMSteps(z, i, f, g, o, c, tanh_c, h)


def lstm_backward(dy, dh, dc, R, steps, act, rec, mask=None, drop=None):
    z, i, f, g, o, c, tanh_c = steps.z, steps.i, steps.f, steps.g, steps.o, steps.c, steps.tanh_c
    dz = np.empty_like(z)
    z_i, z_f, z_g, z_o = np.split(z, 4, axis=-1)  # views (T, N, U)
    dz_i, dz_f, dz_g, dz_o = np.split(dz, 4, axis=-1)
    R_T = np.ascontiguousarray(R.T)  # once, not in every product
    for t in reversed(range(len(dz))):
        dh_t = dh if dy is None else dh + dy[t]  # h_t goes into the next step, and into y
        if mask is not None:
            (past_h, past_c), (dh_t, dc) = divided(mask[t], dh_t, dc)
        do = dh_t * tanh_c[t]  # h = o * tanh(c)
        dc_t = dc + act.adjoint(dh_t * o[t], c[t + 1], tanh_c[t])
        di, df, dg = dc_t * g[t], dc_t * c[t], dc_t * i[t]  # c = f * c_prev + i * g
        dz_i[t] = rec.adjoint(di, z_i[t], i[t])
        dz_f[t] = rec.adjoint(df, z_f[t], f[t])
        dz_g[t] = act.adjoint(dg, z_g[t], g[t])
        dz_o[t] = rec.adjoint(do, z_o[t], o[t])
        dh = dz[t] @ R_T if drop is None else dropped.adjoint_of_x(dz[t], drop, R)  # z = x W + h_prev R + b
        dc = dc_t * f[t]
        if mask is not None:
            dh, dc = dh + past_h, dc + past_c
    return dz, dz.sum(axis=0), dh, dc


def divided(mask, *adjoints):
    """``past, through``: of each adjoint the rows that a masked step hands on as they are, and those of the others."""
    keep = mask[:, np.newaxis]
    return [np.where(keep, 0, d) for d in adjoints], [np.where(keep, d, 0) for d in adjoints]
