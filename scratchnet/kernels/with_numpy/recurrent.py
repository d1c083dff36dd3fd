"""The recurrent layers' way through time, vectorised over the batch; works with every Activation.

A step is one matrix product, ``h_(t-1) R``, and then functions of single elements: the functions named "step".

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


def simple_rnn_forward(xW, R, h, z, activation):
    """All steps of `simple_rnn_step_forward`; arrays as in `scratchnet.kernels.simple_rnn_forward`."""
    scratch = np.empty_like(h[0]) if z is None else None
    for t in range(len(h) - 1):
        z_t = scratch if z is None else z[t]
        np.dot(h[t], R, out=z_t)
        simple_rnn_step_forward(z_t, xW[t % len(xW)], h[t + 1], activation)


def simple_rnn_backward(dy, dh, R, h, z, dz, activation):
    """All steps of `simple_rnn_step_backward`, the last first; arrays as in `kernels.simple_rnn_backward`."""
    RT = np.ascontiguousarray(R.T)  # once, not in every product
    for t in reversed(range(len(dz))):
        if dy is not None:
            dh += dy[t]
        simple_rnn_step_backward(dh, h[t + 1], None if z is None else z[t], dz[t], activation)
        np.dot(dz[t], RT, out=dh)  # z = xW + h R: the state before this step


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


def lstm_forward(xW, R, h, c, gates, a, z, activation, recurrent_activation):
    """All steps of `lstm_step_forward`; arrays as in `scratchnet.kernels.lstm_forward`."""
    scratch = np.empty_like(gates[0]) if z is None else None
    for t in range(len(a)):
        z_t, xW_t = (scratch if z is None else z[t]), xW[t % len(xW)]
        np.dot(h[t], R, out=z_t)
        lstm_step_forward(z_t, xW_t, c[t], gates[t], c[t + 1], a[t], h[t + 1], activation, recurrent_activation)


def lstm_backward(dy, dh, dc, R, c, gates, a, z, dz, activation, recurrent_activation):
    """All steps of `lstm_step_backward`, the last first; arrays as in `scratchnet.kernels.lstm_backward`."""
    RT = np.ascontiguousarray(R.T)  # once, not in every product
    for t in reversed(range(len(a))):
        if dy is not None:
            dh += dy[t]
        z_t = None if z is None else z[t]
        lstm_step_backward(dh, dc, z_t, c[t], gates[t], c[t + 1], a[t], dz[t], activation, recurrent_activation)
        np.dot(dz[t], RT, out=dh)  # z = xW + h R: the state before this step


def _split(gates):
    """(N, 4U) as four views (N, U)."""
    U = gates.shape[1] // 4
    return gates[:, :U], gates[:, U : 2 * U], gates[:, 2 * U : 3 * U], gates[:, 3 * U :]


def _kept(activation, y, z):
    """The cache of an activation that gave y = f(z)."""
    return z if activation.keeps == "z" else y
