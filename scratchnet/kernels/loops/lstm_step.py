"""One step of an LSTM behind its product: what is made of the pre-activations z, and what comes back to them.

    i = rec(z_i)    f = rec(z_f)    g = act(z_g)    o = rec(z_o)        z = [z_i, z_f, z_g, z_o] along the last axis
    c = f c_prev + i g              h = o act(c)

`lstm_forward` goes through all steps at once. Where z comes from a convolution (`scratchnet.layers.rnn.conv_lstm`),
each step is asked for by itself. The arrays are (..., 4U) and (..., U), of any number of axes in front.
"""

import numpy as np

from scratchnet.kernels.loops.recurrent import adjoint, apply
from scratchnet.kernels.steps import LSTMStep


def lstm_step_forward(z, c_prev, act, rec):
    """z (..., 4U), c_prev (..., U) -> `LSTMStep`."""
    i, f, g, o, c, tanh_c, h = np.empty((7, *c_prev.shape), z.dtype)
    for n in np.ndindex(*c_prev.shape[:-1]):
        z_i, z_f, z_g, z_o = np.split(z[n], 4)
        i[n], f[n], g[n], o[n] = apply(rec, z_i), apply(rec, z_f), apply(act, z_g), apply(rec, z_o)
        for u in range(c_prev.shape[-1]):
            c[n][u] = f[n][u] * c_prev[n][u] + i[n][u] * g[n][u]
        tanh_c[n] = apply(act, c[n])
        for u in range(c_prev.shape[-1]):
            h[n][u] = o[n][u] * tanh_c[n][u]
    return LSTMStep(z, i, f, g, o, c_prev, c, tanh_c, h)


def lstm_step_backward(dh, dc, step, act, rec, dz=None):
    """The adjoint of `lstm_step_forward`: ``dz, dc_prev``; dh and dc are what h and c receive.

    A `dz` that is given, in C order, is room for it.
    """
    z, i, f, g, o, c_prev, c, tanh_c, _ = step
    dz, dc_prev = np.empty_like(z) if dz is None else dz, np.empty_like(dc)
    for n in np.ndindex(*dc.shape[:-1]):
        z_i, z_f, z_g, z_o = np.split(z[n], 4)
        do, d_tanh_c = dh[n] * tanh_c[n], dh[n] * o[n]  # h = o * tanh(c)
        dc_n = dc[n] + adjoint(act, d_tanh_c, c[n], tanh_c[n])
        di, df, dg = dc_n * g[n], dc_n * c_prev[n], dc_n * i[n]  # c = f * c_prev + i * g
        dc_prev[n] = dc_n * f[n]
        of_gates = adjoint(rec, di, z_i, i[n]), adjoint(rec, df, z_f, f[n])
        dz[n] = np.concatenate([*of_gates, adjoint(act, dg, z_g, g[n]), adjoint(rec, do, z_o, o[n])])
    return dz, dc_prev
