"""The recurrent layers' way through time, as the formulas define it.

`activation` and `recurrent_activation` are Activations; of these kernels' own table only their names are used.
Sizes: N batch, U units. The gates lie side by side in arrays (N, 4U), in the order i, f, g, o.
"""

import math

from scratchnet.kernels.loops.matrix_product import matmul


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


def simple_rnn_step_forward(z, xW, h, activation):
    """``z += xW`` and ``h = f(z)``. On entry z holds the recurrent product h_(t-1) R. All (N, U)."""
    f, _ = _TABLE[activation.name]
    N, U = h.shape
    for n in range(N):
        for u in range(U):
            z[n, u] += xW[n, u]
            h[n, u] = f(float(z[n, u]))


def simple_rnn_step_backward(dh, h, z, dz, activation):
    """``dz = dh * f'(z)``, from h = f(z); z is not used and may be None. All (N, U); writes dz."""
    _, slope = _TABLE[activation.name]
    N, U = h.shape
    for n in range(N):
        for u in range(U):
            dz[n, u] = float(dh[n, u]) * slope(float(h[n, u]))


def simple_rnn_forward(xW, R, h, z, activation):
    """All steps of `simple_rnn_step_forward`; arrays as in `scratchnet.kernels.simple_rnn_forward`; z is not used."""
    for t in range(len(h) - 1):
        z_t = matmul(h[t], R)
        simple_rnn_step_forward(z_t, xW[t % len(xW)], h[t + 1], activation)


def simple_rnn_backward(dy, dh, R, h, z, dz, activation):
    """All steps of `simple_rnn_step_backward`, the last first; arrays as in `scratchnet.kernels.simple_rnn_backward`.

    z is not used.
    """
    for t in reversed(range(len(dz))):
        if dy is not None:
            dh += dy[t]
        simple_rnn_step_backward(dh, h[t + 1], None, dz[t], activation)
        dh[...] = matmul(dz[t], R.T)  # z = xW + h R: the state before this step


def lstm_step_forward(z, xW, c_prev, gates, c, a, h, activation, recurrent_activation):
    """Gates, cell and state of one step: ``z += xW``, then the equations below.

    z (N, 4U) holds the recurrent product h_(t-1) R on entry. Writes gates (N, 4U), which may be xW itself, and
    c, a = activation(c), h (N, U). c_prev (N, U) is the cell before the step.
    """
    act, _ = _TABLE[activation.name]
    rec, _ = _TABLE[recurrent_activation.name]
    N, U = c.shape
    for n in range(N):
        for u in range(U):
            for k in range(4):
                z[n, k * U + u] += xW[n, k * U + u]
            i = rec(float(z[n, u]))
            f = rec(float(z[n, U + u]))
            g = act(float(z[n, 2 * U + u]))
            o = rec(float(z[n, 3 * U + u]))
            gates[n, u], gates[n, U + u], gates[n, 2 * U + u], gates[n, 3 * U + u] = i, f, g, o
            c[n, u] = f * float(c_prev[n, u]) + i * g
            a[n, u] = act(float(c[n, u]))
            h[n, u] = o * float(a[n, u])


def lstm_step_backward(dh, dc, z, c_prev, gates, c, a, dz, activation, recurrent_activation):
    """The adjoint of `lstm_step_forward`: from dh and dc (N, U) after the step to dz (N, 4U) and dc before it.

    dc is changed in place; dz is written; z and c are not used and may be None.
    """
    _, act_slope = _TABLE[activation.name]
    _, rec_slope = _TABLE[recurrent_activation.name]
    N, U = a.shape
    for n in range(N):
        for u in range(U):
            i, f, g, o = (float(gates[n, k * U + u]) for k in range(4))
            a_nu, dh_nu = float(a[n, u]), float(dh[n, u])
            dc_nu = float(dc[n, u]) + dh_nu * o * act_slope(a_nu)  # h = o * a, a = act(c)
            dz[n, u] = dc_nu * g * rec_slope(i)  # c = f * c_prev + i * g
            dz[n, U + u] = dc_nu * float(c_prev[n, u]) * rec_slope(f)
            dz[n, 2 * U + u] = dc_nu * i * act_slope(g)
            dz[n, 3 * U + u] = dh_nu * a_nu * rec_slope(o)
            dc[n, u] = dc_nu * f


def lstm_forward(xW, R, h, c, gates, a, z, activation, recurrent_activation):
    """All steps of `lstm_step_forward`; arrays as in `scratchnet.kernels.lstm_forward`; z is not used."""
    for t in range(len(a)):
        z_t = matmul(h[t], R)
        lstm_step_forward(
            z_t, xW[t % len(xW)], c[t], gates[t], c[t + 1], a[t], h[t + 1], activation, recurrent_activation
        )


def lstm_backward(dy, dh, dc, R, c, gates, a, z, dz, activation, recurrent_activation):
    """All steps of `lstm_step_backward`, the last first; arrays as in `kernels.lstm_backward`; z is not used."""
    for t in reversed(range(len(a))):
        if dy is not None:
            dh += dy[t]
        lstm_step_backward(dh, dc, None, c[t], gates[t], None, a[t], dz[t], activation, recurrent_activation)
        dh[...] = matmul(dz[t], R.T)  # z = xW + h R: the state before this step
