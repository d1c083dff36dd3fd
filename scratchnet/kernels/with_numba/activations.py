"""Activation functions and their derivatives, each in one pass over memory, in float32.

NumPy takes a pass and an array for every operation of a formula, and its `expm1` and `log1p` take one number at a time.
What each computes stands in `scratchnet.activations`; here it is written so that it vectorises: both sides of a kink
are computed, and one is chosen. float64, in which gradients are proved, keeps the formulas there. Those made of
straight lines stand in `piecewise`, those of rows in `softmax`.

A result is a new array, also where the argument is no longer needed: a loop that writes where it reads is not
vectorised.
"""

import math

import numpy as np

from scratchnet.kernels.with_numba import piecewise, softmax
from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.elementwise import (
    cut,
    erfc32,
    exp32,
    expm1_32,
    log_1p_power,
    power_of_square,
    sigmoid32,
    tanh32,
)
from scratchnet.kernels.with_numba.team import by_rows

_F = np.float32
_WORK = 8  # multiply-adds that take as long as a number
_ZERO, _QUARTER, _HALF, _ONE, _TWO, _THREE, _FOUR = map(_F, (0, 0.25, 0.5, 1, 2, 3, 4))
_FLAT = _F(20)  # from it on tanh(softplus(z)) is 1 in float32
_ALPHA, _SCALE = 1.6732632423543772, 1.0507009873554805  # of selu
_SELU_ALPHA, _SELU_SCALE, _SELU_BOTH = _F(_ALPHA), _F(_SCALE), _F(_ALPHA * _SCALE)
_FAR, _EIGHT, _E_TO_8 = _F(80), _F(8), _F(math.exp(8))
_ROOT_HALF, _DENSITY = _F(math.sqrt(0.5)), _F(1 / math.sqrt(2 * math.pi))  # of the normal distribution, at 0
_TEN, _SLOPE_0, _CUBIC = _F(10), _F(math.sqrt(8 / math.pi)), _F(0.044715 * math.sqrt(8 / math.pi))


def activate(name, z, parameters):
    """``y = f(z)`` for the entry `name` of the table of activations; None where it is not compiled.

    Args:
        z: an array of any shape. For other dtypes than float32 nothing is compiled.
        parameters: all that the function has, by name.
    """
    if z.dtype != np.float32 or z.size == 0 or z.ndim == 0:
        return None
    if name in _OF_ROWS:
        return _OF_ROWS[name][0](_rows(z)).reshape(z.shape) if _is_last(parameters["axis"], z) else None
    (kernel, _), numbers = pair_of(name, parameters)
    if kernel is None:
        return None
    y = np.empty(z.shape, np.float32)
    by_rows(kernel, z.size, _WORK * z.size, plain(z).reshape(-1), y.reshape(-1), *numbers)
    return y


def activate_backward(name, dy, kept, parameters):
    """``dz = dy * f'`` from what the entry `name` of the table keeps, y or z; None where it is not compiled."""
    (_, kernel), numbers = pair_of(name, parameters)
    if kernel is None and name not in _OF_ROWS:
        return None  # before `kept` is looked at: of what needs nothing, as a linear function, it may be None
    if dy.dtype != np.float32 or kept.dtype != np.float32 or dy.shape != kept.shape or dy.size == 0 or dy.ndim == 0:
        return None
    if name in _OF_ROWS:
        is_last = _is_last(parameters["axis"], dy)
        return _OF_ROWS[name][1](_rows(dy), _rows(kept)).reshape(dy.shape) if is_last else None
    dz = np.empty(dy.shape, np.float32)
    flat = plain(dy).reshape(-1), plain(kept).reshape(-1), dz.reshape(-1)
    by_rows(kernel, dz.size, _WORK * dz.size, *flat, *numbers)
    return dz


def pair_of(name, parameters):
    """The kernels of an entry, forward and backward, and the numbers that they take behind their arrays."""
    if name == "gelu":
        return (_GELU_BY_TANH if parameters["approximate"] else _GELU), ()
    if name not in _PAIRS:
        return (None, None), ()
    return _PAIRS[name], [_F(value) for value in parameters.values()]


def _is_last(axis, array):
    return axis in (-1, array.ndim - 1)


def _rows(array):
    return array.reshape(-1, array.shape[-1])


@njit(reorder=False)
def _elu(first, stop, z, y, alpha):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        below = alpha * expm1_32(z[k])
        y[k] = z[k] if z[k] > _ZERO else below


@njit(reorder=False)
def _elu_slope(first, stop, dy, y, dz, alpha):
    dy, y, dz = dy[first:stop], y[first:stop], dz[first:stop]
    for k in range(dz.size):
        dz[k] = dy[k] * (_ONE if y[k] > _ZERO else y[k] + alpha)


@njit(reorder=False)
def _celu(first, stop, z, y, alpha):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        below = alpha * expm1_32(z[k] / alpha)
        y[k] = z[k] if z[k] > _ZERO else below


@njit(reorder=False)
def _celu_slope(first, stop, dy, y, dz, alpha):
    dy, y, dz = dy[first:stop], y[first:stop], dz[first:stop]
    for k in range(dz.size):
        dz[k] = dy[k] * (_ONE if y[k] > _ZERO else y[k] / alpha + _ONE)


@njit(reorder=False)
def _selu(first, stop, z, y):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        below = _SELU_ALPHA * expm1_32(z[k])
        y[k] = _SELU_SCALE * (z[k] if z[k] > _ZERO else below)


@njit(reorder=False)
def _selu_slope(first, stop, dy, y, dz):
    dy, y, dz = dy[first:stop], y[first:stop], dz[first:stop]
    for k in range(dz.size):
        dz[k] = dy[k] * (_SELU_SCALE if y[k] >= _ZERO else y[k] + _SELU_BOTH)


@njit(reorder=False)
def _sigmoid(first, stop, z, y):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        y[k] = sigmoid32(z[k])


@njit(reorder=False)
def _sigmoid_slope(first, stop, dy, y, dz):
    dy, y, dz = dy[first:stop], y[first:stop], dz[first:stop]
    for k in range(dz.size):
        dz[k] = dy[k] * (y[k] * (_ONE - y[k]))


@njit(reorder=False)
def _tanh(first, stop, z, y):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        y[k] = tanh32(z[k])


@njit(reorder=False)
def _tanh_slope(first, stop, dy, y, dz):
    dy, y, dz = dy[first:stop], y[first:stop], dz[first:stop]
    for k in range(dz.size):
        dz[k] = dy[k] * (_ONE - y[k] * y[k])


@njit(reorder=False)
def _softsign(first, stop, z, y):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        y[k] = z[k] / (_ONE + abs(z[k]))


@njit(reorder=False)
def _softsign_slope(first, stop, dy, y, dz):
    dy, y, dz = dy[first:stop], y[first:stop], dz[first:stop]
    for k in range(dz.size):
        rest = _ONE - abs(y[k])
        dz[k] = dy[k] * (rest * rest)


@njit(reorder=False)
def _softplus(first, stop, z, y):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        above_0 = _ZERO if z[k] <= _ZERO else z[k]  # NaN stays NaN
        y[k] = above_0 + log_1p_power(z[k])


@njit(reorder=False)
def _softplus_slope(first, stop, dy, y, dz):
    dy, y, dz = dy[first:stop], y[first:stop], dz[first:stop]
    for k in range(dz.size):
        dz[k] = dy[k] * -expm1_32(-y[k])


@njit(reorder=False)
def _log_sigmoid(first, stop, z, y):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        below_0 = _ZERO if z[k] >= _ZERO else z[k]
        y[k] = below_0 - log_1p_power(z[k])


@njit(reorder=False)
def _log_sigmoid_slope(first, stop, dy, y, dz):
    dy, y, dz = dy[first:stop], y[first:stop], dz[first:stop]
    for k in range(dz.size):
        dz[k] = dy[k] * -expm1_32(y[k])


@njit(reorder=False)
def _exponential(first, stop, z, y):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        is_far = z[k] > _FAR  # e^z = e^8 e^(z - 8), which `exp32` still takes
        part = exp32(z[k] - (_EIGHT if is_far else _ZERO))
        y[k] = part * (_E_TO_8 if is_far else _ONE)


@njit(reorder=False)
def _exponential_slope(first, stop, dy, y, dz):
    dy, y, dz = dy[first:stop], y[first:stop], dz[first:stop]
    for k in range(dz.size):
        dz[k] = dy[k] * y[k]


@njit(reorder=False)
def _squareplus(first, stop, z, y, b):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        sum_of_both = abs(z[k]) + math.sqrt(z[k] * z[k] + b)
        below = _HALF * b / sum_of_both  # what z + the root is, where that would cancel
        y[k] = _HALF * sum_of_both if z[k] >= _ZERO else below


@njit(reorder=False)
def _squareplus_slope(first, stop, dy, y, dz, b):
    dy, y, dz = dy[first:stop], y[first:stop], dz[first:stop]
    for k in range(dz.size):
        square = y[k] * y[k]
        dz[k] = dy[k] * (square / (square + _QUARTER * b))


@njit(reorder=False)
def _tanh_shrink(first, stop, z, y):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        y[k] = z[k] - tanh32(z[k])


@njit(reorder=False)
def _tanh_shrink_slope(first, stop, dy, z, dz):
    dy, z, dz = dy[first:stop], z[first:stop], dz[first:stop]
    for k in range(dz.size):
        t = tanh32(z[k])
        dz[k] = dy[k] * (t * t)


@njit(reorder=False, fuse=False)
def _gelu(first, stop, z, y):
    """Of sums of two products either may be fused: then none is, for the same bits in a vector and behind the last."""
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        x = z[k] * _ROOT_HALF
        y[k] = z[k] * (_HALF * erfc32(-x, power_of_square(x)))


@njit(reorder=False, fuse=False)
def _gelu_slope(first, stop, dy, z, dz):
    dy, z, dz = dy[first:stop], z[first:stop], dz[first:stop]
    for k in range(dz.size):
        x = z[k] * _ROOT_HALF
        power = power_of_square(x)
        dz[k] = dy[k] * (_HALF * erfc32(-x, power) + z[k] * (_DENSITY * power))


@njit(reorder=False)
def _gelu_by_tanh(first, stop, z, y):
    """(1 + tanh(u)) / 2 = sigmoid(2 u), which is 0 from -10 on."""
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        low = -_TEN if z[k] < -_TEN else z[k]
        y[k] = low * sigmoid32(low * (_SLOPE_0 + _CUBIC * low * low))


@njit(reorder=False)
def _gelu_by_tanh_slope(first, stop, dy, z, dz):
    """Beyond 10, where squares might leave the range of float32, it is 1, and 0 on the other side."""
    dy, z, dz = dy[first:stop], z[first:stop], dz[first:stop]
    for k in range(dz.size):
        x = cut(z[k], -_TEN, _TEN)
        s, slope = sigmoid32(x * (_SLOPE_0 + _CUBIC * x * x)), _SLOPE_0 + _THREE * _CUBIC * x * x
        dz[k] = dy[k] * (s + x * s * (_ONE - s) * slope)


@njit(reorder=False)
def _silu(first, stop, z, y):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        y[k] = z[k] * sigmoid32(z[k])


@njit(reorder=False)
def _silu_slope(first, stop, dy, z, dz):
    dy, z, dz = dy[first:stop], z[first:stop], dz[first:stop]
    for k in range(dz.size):
        s = sigmoid32(z[k])
        dz[k] = dy[k] * (s * (_ONE + z[k] * (_ONE - s)))


@njit(reorder=False)
def _mish(first, stop, z, y):
    """With w = e^z, tanh(log(1 + w)) = w (w + 2) / (w (w + 2) + 2)."""
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        w = exp32(_FLAT if z[k] > _FLAT else z[k])
        n = w * (w + _TWO)
        y[k] = z[k] * (n / (n + _TWO))


@njit(reorder=False)
def _mish_slope(first, stop, dy, z, dz):
    """t + z (1 - t^2) sigmoid(z), in which the last two are 4 w (w + 1) / (w (w + 2) + 2)^2."""
    dy, z, dz = dy[first:stop], z[first:stop], dz[first:stop]
    for k in range(dz.size):
        x = _FLAT if z[k] > _FLAT else z[k]
        w = exp32(x)
        n = w * (w + _TWO)
        over = _ONE / (n + _TWO)
        dz[k] = dy[k] * (n * over + x * (_FOUR * w * (w + _ONE) * over * over))


_PAIRS = {  # a function, and what it makes of dy
    **piecewise.PAIRS,
    "elu": (_elu, _elu_slope),
    "celu": (_celu, _celu_slope),
    "selu": (_selu, _selu_slope),
    "sigmoid": (_sigmoid, _sigmoid_slope),
    "tanh": (_tanh, _tanh_slope),
    "tanh_shrink": (_tanh_shrink, _tanh_shrink_slope),
    "softsign": (_softsign, _softsign_slope),
    "softplus": (_softplus, _softplus_slope),
    "squareplus": (_squareplus, _squareplus_slope),
    "log_sigmoid": (_log_sigmoid, _log_sigmoid_slope),
    "exponential": (_exponential, _exponential_slope),
    "silu": (_silu, _silu_slope),
    "mish": (_mish, _mish_slope),
}
_GELU, _GELU_BY_TANH = (_gelu, _gelu_slope), (_gelu_by_tanh, _gelu_by_tanh_slope)
_OF_ROWS = {
    "softmax": (softmax.of_rows, softmax.of_rows_backward),
    "log_softmax": (softmax.log_of_rows, softmax.log_of_rows_backward),
}
