"""The recurrent layers' way through time, compiled, the matrix products included.

A step is short: some 100 microseconds. If each of its products and functions were called from Python, threads that
compute side by side would spend a fifth of their time waiting for the interpreter's lock.

Shape of a step, which is all that happens between two products: a sample's row of pre-activations (4U numbers, 2 KB for
U = 128 in float32) stays in the first-level cache while short loops over U run over it, one for each equation. Short
loops with few arrays are what the compiler vectorises; one long loop with all equations it would not, having to prove
that too many arrays do not overlap.

`math.exp` and `math.tanh` are calls for one number at a time. In float32 they are replaced by a polynomial, which
vectorises and is right to a few units in the last place; float64, in which gradients are proved, keeps the exact ones.

Cost of a step with N = 64, U = 128 (float32, one Zen 4 core): about 17 microseconds forward and 13 backward,
beside 90 for the matrix product.
"""

import math

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.matrix_product import matmul_into

_LINEAR, _RELU, _TANH, _SIGMOID, _HARD_SIGMOID = range(5)
_CODES = {"linear": _LINEAR, "relu": _RELU, "tanh": _TANH, "sigmoid": _SIGMOID, "hard_sigmoid": _HARD_SIGMOID}

_F = np.float32
_LOG2_E = _F(1.4426950408889634)
# ln 2 = high + low, and n * high is exact for every |n| < 2^9: the rest of z / ln 2 keeps all its digits
_LN2_HIGH, _LN2_LOW = _F(0.693359375), _F(-2.12194440054690581e-4)
_LOWEST, _HIGHEST = _F(-87.0), _F(88.0)  # e^z stays a normal float32
_BIAS, _FRACTION_BITS = np.int32(127), np.int32(23)  # of a float32's exponent
_ZERO, _HALF, _ONE, _TWO, _SIX = _F(0), _F(0.5), _F(1), _F(2), _F(6)
_C2, _C3, _C4, _C5, _C6, _C7 = (_F(1 / math.factorial(k)) for k in range(2, 8))


def simple_rnn_step_forward(z, xW, h, activation):
    """``z += xW`` and ``h = f(z)``. On entry z holds the recurrent product h_(t-1) R. All (N, U)."""
    _simple_rnn_step_forward(z, xW, h, _CODES[activation.name])


def simple_rnn_step_backward(dh, h, z, dz, activation):
    """``dz = dh * f'(z)``, from h = f(z); z is not used and may be None. All (N, U); writes dz."""
    _simple_rnn_step_backward(dh, h, dz, _CODES[activation.name])


def lstm_step_forward(z, xW, c_prev, gates, c, a, h, activation, recurrent_activation):
    """Gates, cell and state of one step: ``z += xW``, then the equations of the layer.

    z (N, 4U) holds the recurrent product h_(t-1) R on entry. Writes gates (N, 4U), which may be xW itself, and
    c, a = activation(c), h (N, U). c_prev (N, U) is the cell before the step.
    """
    _lstm_step_forward(z, xW, c_prev, gates, c, a, h, _CODES[activation.name], _CODES[recurrent_activation.name])


def lstm_step_backward(dh, dc, z, c_prev, gates, c, a, dz, activation, recurrent_activation):
    """The adjoint of `lstm_step_forward`: from dh and dc (N, U) after the step to dz (N, 4U) and dc before it.

    dc is changed in place; dz is written; z and c are not used and may be None.
    """
    _lstm_step_backward(dh, dc, c_prev, gates, a, dz, _CODES[activation.name], _CODES[recurrent_activation.name])


def simple_rnn_forward(xW, R, h, z, activation):
    """As `scratchnet.kernels.simple_rnn_forward`; z is not used."""
    _simple_rnn_forward(xW, plain(R), h, _CODES[activation.name])


def simple_rnn_backward(dy, dh, R, h, z, dz, activation):
    """As `scratchnet.kernels.simple_rnn_backward`; z is not used."""
    dy = dz[:0] if dy is None else plain(dy)
    _simple_rnn_backward(dy, dh, np.ascontiguousarray(R.T), h, dz, _CODES[activation.name])


def lstm_forward(xW, R, h, c, gates, a, z, activation, recurrent_activation):
    """As `scratchnet.kernels.lstm_forward`; z is not used."""
    _lstm_forward(xW, plain(R), h, c, gates, a, _CODES[activation.name], _CODES[recurrent_activation.name])


def lstm_backward(dy, dh, dc, R, c, gates, a, z, dz, activation, recurrent_activation):
    """As `scratchnet.kernels.lstm_backward`; z is not used."""
    dy = a[:0] if dy is None else plain(dy)
    codes = _CODES[activation.name], _CODES[recurrent_activation.name]
    _lstm_backward(dy, dh, dc, np.ascontiguousarray(R.T), c, gates, a, dz, *codes)


@njit(reorder=False)
def _expm1_parts(z):
    """``(p, s)`` with e^z = s + s p: z = n ln 2 + r with |r| <= ln 2 / 2, s = 2^n, p = e^r - 1 by its Taylor series."""
    z = min(max(z, _LOWEST), _HIGHEST)  # NaN stays NaN: of two that do not compare, min and max take the first
    n = np.floor(max(_LOWEST, z) * _LOG2_E + _HALF)  # but here it must not: an integer cannot hold it
    r = (z - n * _LN2_HIGH) - n * _LN2_LOW
    q = _C4 + r * (_C5 + r * (_C6 + r * _C7))
    p = r + r * r * (_HALF + r * (_C3 + r * q))
    s = np.int32((np.int32(n) + _BIAS) << _FRACTION_BITS).view(np.float32)  # 2^n, put together from its bits
    return p, s


@njit(reorder=False)
def _sigmoid32(z):
    p, s = _expm1_parts(-z)
    return _ONE / (_ONE + (s + s * p))


@njit(reorder=False)
def _tanh32(z):
    p, s = _expm1_parts(_TWO * z)
    e = s * p + (s - _ONE)  # e^(2z) - 1, without cancellation near 0
    return e / (e + _TWO)


@njit
def _activate(code, z, y):
    """``y = f(z)`` for one row (U,)."""
    if code == _RELU:
        for u in range(y.size):
            y[u] = max(z[u], _ZERO)
    elif code == _SIGMOID:
        if z.itemsize == 4:
            for u in range(y.size):
                y[u] = _sigmoid32(z[u])
        else:
            for u in range(y.size):
                y[u] = 1 / (1 + math.exp(min(-z[u], 700.0)))  # beyond, math.exp overflows
    elif code == _TANH:
        if z.itemsize == 4:
            for u in range(y.size):
                y[u] = _tanh32(z[u])
        else:
            for u in range(y.size):
                y[u] = math.tanh(z[u])
    elif code == _HARD_SIGMOID:
        for u in range(y.size):
            y[u] = min(max(z[u] / _SIX + _HALF, _ZERO), _ONE)
    else:
        for u in range(y.size):
            y[u] = z[u]


@njit
def _multiply_by_slope(code, y, d):
    """``d *= f'(z)`` for one row (U,), from y = f(z)."""
    if code == _RELU:
        for u in range(d.size):
            d[u] = d[u] if y[u] > _ZERO else _ZERO
    elif code == _SIGMOID:
        for u in range(d.size):
            d[u] *= y[u] * (_ONE - y[u])
    elif code == _TANH:
        for u in range(d.size):
            d[u] *= _ONE - y[u] * y[u]
    elif code == _HARD_SIGMOID:
        for u in range(d.size):
            d[u] = d[u] / _SIX if _ZERO < y[u] < _ONE else _ZERO


@njit
def _simple_rnn_step_forward(z, xW, h, code):
    N, U = h.shape
    for n in range(N):
        z_n, xW_n = z[n], xW[n]
        for u in range(U):
            z_n[u] += xW_n[u]
        _activate(code, z_n, h[n])


@njit
def _simple_rnn_step_backward(dh, h, dz, code):
    N, U = h.shape
    for n in range(N):
        dh_n, dz_n = dh[n], dz[n]
        for u in range(U):
            dz_n[u] = dh_n[u]
        _multiply_by_slope(code, h[n], dz_n)


@njit
def _lstm_step_forward(z, xW, c_prev, gates, c, a, h, code, recurrent_code):
    N, U = c.shape
    for n in range(N):
        z_n, xW_n, gates_n = z[n], xW[n], gates[n]
        for u in range(4 * U):
            z_n[u] += xW_n[u]
        _activate(recurrent_code, z_n[: 2 * U], gates_n[: 2 * U])  # i and f
        _activate(code, z_n[2 * U : 3 * U], gates_n[2 * U : 3 * U])  # g
        _activate(recurrent_code, z_n[3 * U :], gates_n[3 * U :])  # o
        i, f, g, o = gates_n[:U], gates_n[U : 2 * U], gates_n[2 * U : 3 * U], gates_n[3 * U :]
        c_prev_n, c_n, a_n, h_n = c_prev[n], c[n], a[n], h[n]
        for u in range(U):
            c_n[u] = f[u] * c_prev_n[u] + i[u] * g[u]
        _activate(code, c_n, a_n)
        for u in range(U):
            h_n[u] = o[u] * a_n[u]


@njit
def _lstm_step_backward(dh, dc, c_prev, gates, a, dz, code, recurrent_code):
    N, U = a.shape
    for n in range(N):
        gates_n, dz_n = gates[n], dz[n]
        i, f, g, o = gates_n[:U], gates_n[U : 2 * U], gates_n[2 * U : 3 * U], gates_n[3 * U :]
        dz_i, dz_f, dz_g, dz_o = dz_n[:U], dz_n[U : 2 * U], dz_n[2 * U : 3 * U], dz_n[3 * U :]
        dh_n, dc_n, c_prev_n, a_n = dh[n], dc[n], c_prev[n], a[n]
        da = dz_g  # room for it until g's turn comes
        for u in range(U):
            da[u] = dh_n[u] * o[u]  # h = o * a
        for u in range(U):
            dz_o[u] = dh_n[u] * a_n[u]
        _multiply_by_slope(code, a_n, da)  # a = activation(c)
        for u in range(U):
            dc_n[u] += da[u]
        for u in range(U):
            dz_i[u] = dc_n[u] * g[u]  # c = f * c_prev + i * g
        for u in range(U):
            dz_f[u] = dc_n[u] * c_prev_n[u]
        for u in range(U):
            dz_g[u] = dc_n[u] * i[u]
        for u in range(U):
            dc_n[u] *= f[u]
        _multiply_by_slope(recurrent_code, gates_n[: 2 * U], dz_n[: 2 * U])  # i and f
        _multiply_by_slope(code, g, dz_g)
        _multiply_by_slope(recurrent_code, o, dz_o)


@njit
def _simple_rnn_forward(xW, R, h, code):
    z = np.empty_like(h[0])
    for t in range(len(h) - 1):
        matmul_into(h[t], R, z)
        _simple_rnn_step_forward(z, xW[t % len(xW)], h[t + 1], code)


@njit
def _simple_rnn_backward(dy, dh, RT, h, dz, code):
    for t in range(len(dz) - 1, -1, -1):
        if len(dy) > 0:
            _add(dy[t], dh)
        _simple_rnn_step_backward(dh, h[t + 1], dz[t], code)
        matmul_into(dz[t], RT, dh)


@njit
def _lstm_forward(xW, R, h, c, gates, a, code, recurrent_code):
    z = np.empty_like(gates[0])
    for t in range(len(a)):
        matmul_into(h[t], R, z)
        _lstm_step_forward(z, xW[t % len(xW)], c[t], gates[t], c[t + 1], a[t], h[t + 1], code, recurrent_code)


@njit
def _lstm_backward(dy, dh, dc, RT, c, gates, a, dz, code, recurrent_code):
    for t in range(len(a) - 1, -1, -1):
        if len(dy) > 0:
            _add(dy[t], dh)
        _lstm_step_backward(dh, dc, c[t], gates[t], a[t], dz[t], code, recurrent_code)
        matmul_into(dz[t], RT, dh)


@njit
def _add(x, y):
    """``y += x``; both (N, U)."""
    source, target = x.reshape(-1), y.reshape(-1)
    for k in range(target.size):
        target[k] += source[k]
