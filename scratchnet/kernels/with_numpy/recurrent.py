"""One time step of the recurrent layers, vectorised; works with every Activation.

An activation whose derivative is computed from z (`keeps` is "z") needs z again in backward; the others are content
with their own values.
"""

import numpy as np


def simple_rnn_step_forward(z, xW, h, activation):
    """``z += xW`` and ``h = f(z)``. On entry z holds the recurrent product h_(t-1) R. All (N, U).

    On exit z is the pre-activation.
    """
    z += xW
    h[...], _ = activation.forward(z)


def simple_rnn_step_backward(dh, h, z, dz, activation):
    """``dz = dh * f'(z)``; z may be None unless the activation keeps z. All (N, U); writes dz."""
    dz[...] = activation.backward(dh, _kept(activation, h, z))


def lstm_step_forward(z, xW, c_prev, gates, c, a, h, activation, recurrent_activation):
    """Gates, cell and state of one step: ``z += xW``, then the equations below.

    z (N, 4U) holds the recurrent product h_(t-1) R on entry and the pre-activation on exit. Writes gates (N, 4U), which
    may be xW itself, and c, a = activation(c), h (N, U). c_prev (N, U) is the cell before the step.
    """
    z += xW
    z_i, z_f, z_g, z_o = _split(z)
    i, f, g, o = _split(gates)
    i[...], _ = recurrent_activation.forward(z_i)
    f[...], _ = recurrent_activation.forward(z_f)
    g[...], _ = activation.forward(z_g)
    o[...], _ = recurrent_activation.forward(z_o)
    np.multiply(f, c_prev, out=c)
    c += i * g
    a[...], _ = activation.forward(c)
    np.multiply(o, a, out=h)


def lstm_step_backward(dh, dc, z, c_prev, gates, c, a, dz, activation, recurrent_activation):
    """The adjoint of `lstm_step_forward`: from dh and dc (N, U) after the step to dz (N, 4U) and dc before it.

    dc is changed in place; dz is written; z may be None unless an activation keeps z.
    """
    i, f, g, o = _split(gates)
    z_i, z_f, z_g, z_o = (None,) * 4 if z is None else _split(z)
    dz_i, dz_f, dz_g, dz_o = _split(dz)
    dz_o[...] = recurrent_activation.backward(dh * a, _kept(recurrent_activation, o, z_o))  # h = o * a
    dc += activation.backward(dh * o, _kept(activation, a, c))  # a = act(c)
    dz_i[...] = recurrent_activation.backward(dc * g, _kept(recurrent_activation, i, z_i))  # c = f * c_prev + i * g
    dz_f[...] = recurrent_activation.backward(dc * c_prev, _kept(recurrent_activation, f, z_f))
    dz_g[...] = activation.backward(dc * i, _kept(activation, g, z_g))
    dc *= f


def _split(gates):
    """(N, 4U) as four views (N, U)."""
    U = gates.shape[1] // 4
    return gates[:, :U], gates[:, U : 2 * U], gates[:, 2 * U : 3 * U], gates[:, 3 * U :]


def _kept(activation, y, z):
    """The cache of an activation that gave y = f(z)."""
    return z if activation.keeps == "z" else y
