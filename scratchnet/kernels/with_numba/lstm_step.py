"""One step of an LSTM behind its product, compiled, some rows at a time, which stay in the first-level cache.

A row may be short: a pixel has a number for each filter. So the gates of several rows are computed in one loop, and
what belongs to one gate is copied together first, and apart at the end. Other activations than those of
`scratchnet.kernels.with_numba.step_activations` are left to `scratchnet.kernels.with_numpy`.
"""

import numpy as np

from scratchnet.kernels.steps import LSTMStep
from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.step_activations import activate, backward_of, forward_of, multiply_by_slope
from scratchnet.kernels.with_numpy import lstm_step as with_numpy

_BLOCK = 2048  # numbers of a gate, at least a row


def lstm_step_forward(z, c_prev, act, rec):
    functions = forward_of(z.dtype, act, rec)
    if functions is None:
        return with_numpy.lstm_step_forward(z, c_prev, act, rec)
    i, f, g, o, c, tanh_c, h = (np.empty(c_prev.shape, z.dtype) for _ in range(7))
    flat = (_rows(array) for array in (z, c_prev, i, f, g, o, c, tanh_c, h))
    _forward(*flat, *functions, np.empty((4, _block(c_prev)), z.dtype))
    return LSTMStep(z, i, f, g, o, c_prev, c, tanh_c, h)


def lstm_step_backward(dh, dc, step, act, rec, dz=None):
    functions = backward_of(dh.dtype, act, rec)
    if functions is None:
        return with_numpy.lstm_step_backward(dh, dc, step, act, rec, dz)
    z, i, f, g, o, c_prev, _, tanh_c, _ = step
    dz, dc_prev = np.empty(z.shape, z.dtype) if dz is None else dz, np.empty(dc.shape, dc.dtype)
    flat = (_rows(array) for array in (dh, dc, i, f, g, o, c_prev, tanh_c, dz, dc_prev))
    _backward(*flat, *functions, np.empty((4, _block(dc)), z.dtype))
    return dz, dc_prev


def _rows(array):
    return plain(array).reshape(-1, array.shape[-1])


def _block(array):
    U = array.shape[-1]
    return max(1, _BLOCK // max(U, 1)) * U


@njit
def _forward(z, c_prev, i, f, g, o, c, tanh_c, h, act, rec, room):
    M, U = c.shape
    rows = room.shape[1] // U
    for start in range(0, M, rows):
        stop = min(start + rows, M)
        size = (stop - start) * U
        for k in range(4):
            for m in range(start, stop):
                source, target = z[m, k * U : (k + 1) * U], room[k, (m - start) * U : (m - start + 1) * U]
                for u in range(U):
                    target[u] = source[u]
        i_b, f_b, g_b = i[start:stop].reshape(-1), f[start:stop].reshape(-1), g[start:stop].reshape(-1)
        o_b, c_b, h_b = o[start:stop].reshape(-1), c[start:stop].reshape(-1), h[start:stop].reshape(-1)
        c_prev_b, tanh_c_b = c_prev[start:stop].reshape(-1), tanh_c[start:stop].reshape(-1)
        activate(rec, room[0, :size], i_b)
        activate(rec, room[1, :size], f_b)
        activate(act, room[2, :size], g_b)
        activate(rec, room[3, :size], o_b)
        for k in range(size):
            c_b[k] = f_b[k] * c_prev_b[k] + i_b[k] * g_b[k]
        activate(act, c_b, tanh_c_b)
        for k in range(size):
            h_b[k] = o_b[k] * tanh_c_b[k]


@njit
def _backward(dh, dc, i, f, g, o, c_prev, tanh_c, dz, dc_prev, act, rec, room):
    M, U = dc.shape
    rows = room.shape[1] // U
    for start in range(0, M, rows):
        stop = min(start + rows, M)
        size = (stop - start) * U
        di, df, dg, do = room[0, :size], room[1, :size], room[2, :size], room[3, :size]  # in the end dz_i, ...
        i_b, f_b, g_b = i[start:stop].reshape(-1), f[start:stop].reshape(-1), g[start:stop].reshape(-1)
        o_b, c_prev_b, tanh_c_b = (
            o[start:stop].reshape(-1),
            c_prev[start:stop].reshape(-1),
            tanh_c[start:stop].reshape(-1),
        )
        dh_b, dc_b, dc_prev_b = dh[start:stop].reshape(-1), dc[start:stop].reshape(-1), dc_prev[start:stop].reshape(-1)
        d_tanh_c = dg  # room for it until dg's turn comes
        for k in range(size):
            d_tanh_c[k] = dh_b[k] * o_b[k]  # h = o * tanh(c)
        for k in range(size):
            do[k] = dh_b[k] * tanh_c_b[k]
        multiply_by_slope(act, tanh_c_b, d_tanh_c)
        for k in range(size):
            dc_prev_b[k] = dc_b[k] + d_tanh_c[k]  # all that c receives; in the end what c_prev does
        for k in range(size):
            di[k] = dc_prev_b[k] * g_b[k]  # c = f * c_prev + i * g
        for k in range(size):
            df[k] = dc_prev_b[k] * c_prev_b[k]
        for k in range(size):
            dg[k] = dc_prev_b[k] * i_b[k]
        for k in range(size):
            dc_prev_b[k] *= f_b[k]
        multiply_by_slope(rec, i_b, di)
        multiply_by_slope(rec, f_b, df)
        multiply_by_slope(act, g_b, dg)
        multiply_by_slope(rec, o_b, do)
        for k in range(4):
            for m in range(start, stop):
                source, target = room[k, (m - start) * U : (m - start + 1) * U], dz[m, k * U : (k + 1) * U]
                for u in range(U):
                    target[u] = source[u]
