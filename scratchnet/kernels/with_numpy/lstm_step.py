"""One step of an LSTM behind its product, vectorised: a line for each equation, with any activation."""

import numpy as np

from scratchnet.kernels.steps import LSTMStep


def lstm_step_forward(z, c_prev, act, rec):
    z_i, z_f, z_g, z_o = np.split(z, 4, axis=-1)  # views
    (i, _), (f, _), (g, _), (o, _) = rec.forward(z_i), rec.forward(z_f), act.forward(z_g), rec.forward(z_o)
    c = f * c_prev + i * g
    tanh_c, _ = act.forward(c)
    return LSTMStep(z, i, f, g, o, c_prev, c, tanh_c, o * tanh_c)


def lstm_step_backward(dh, dc, step, act, rec, dz=None):
    z, i, f, g, o, c_prev, c, tanh_c, _ = step
    dz = np.empty_like(z) if dz is None else dz
    z_i, z_f, z_g, z_o = np.split(z, 4, axis=-1)  # views
    dz_i, dz_f, dz_g, dz_o = np.split(dz, 4, axis=-1)
    do = dh * tanh_c  # h = o * tanh(c)
    dc = dc + act.adjoint(dh * o, c, tanh_c)
    di, df, dg = dc * g, dc * c_prev, dc * i  # c = f * c_prev + i * g
    dz_i[...] = rec.adjoint(di, z_i, i)
    dz_f[...] = rec.adjoint(df, z_f, f)
    dz_g[...] = act.adjoint(dg, z_g, g)
    dz_o[...] = rec.adjoint(do, z_o, o)
    return dz, dc * f
