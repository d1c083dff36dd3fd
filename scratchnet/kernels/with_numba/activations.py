"""Activation functions and their derivatives, each in one pass over memory, in float32.

NumPy takes a pass and an array for every operation of a formula, and its `expm1` and `log1p` take one number at a time.
What each computes stands in `scratchnet.activations`; here it is written so that it vectorises: both sides of a kink
are computed, and one is chosen. float64, in which gradients are proved, keeps the formulas there.

A result is a new array, also where the argument is no longer needed: a loop that writes where it reads is not
vectorised.
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.elementwise import exp32, expm1_32, log_1p_power, sigmoid32, tanh32
from scratchnet.kernels.with_numba.softmax import softmax_backward, softmax_forward
from scratchnet.kernels.with_numba.team import by_rows

_F = np.float32
_WORK = 8  # multiply-adds that take as long as a number
_ZERO, _HALF, _ONE, _TWO, _THREE, _FOUR, _SIX = map(_F, (0, 0.5, 1, 2, 3, 4, 6))
_FLAT = _F(20)  # from it on tanh(softplus(z)) is 1 in float32
_ALPHA, _SCALE = 1.6732632423543772, 1.0507009873554805  # of selu
_SELU_ALPHA, _SELU_SCALE, _SELU_BOTH = _F(_ALPHA), _F(_SCALE), _F(_ALPHA * _SCALE)


def activate(name, z, parameters):
    """``y = f(z)`` for the entry `name` of the table of activations; None where it is not compiled.

    Args:
        z: an array of any shape. For other dtypes than float32 nothing is compiled.
        parameters: all that the function has, by name.
    """
    if z.dtype != np.float32 or z.size == 0 or z.ndim == 0:
        return None
    if name == "softmax":
        return softmax_forward(_rows(z), 1.0).reshape(z.shape) if _is_last(parameters["axis"], z) else None
    kernel, _ = _PAIRS.get(name, _NONE)
    if kernel is None:
        return None
    y = np.empty(z.shape, np.float32)
    by_rows(kernel, z.size, _WORK * z.size, plain(z).reshape(-1), y.reshape(-1), *map(_F, parameters.values()))
    return y


def activate_backward(name, dy, kept, parameters):
    """``dz = dy * f'`` from what the entry `name` of the table keeps, y or z; None where it is not compiled."""
    _, kernel = _PAIRS.get(name, _NONE)
    if kernel is None and name != "softmax":
        return None  # before `kept` is looked at: of what needs nothing, as a linear function, it may be None
    if dy.dtype != np.float32 or kept.dtype != np.float32 or dy.shape != kept.shape or dy.size == 0 or dy.ndim == 0:
        return None
    if name == "softmax":
        is_last = _is_last(parameters["axis"], dy)
        return softmax_backward(_rows(dy), _rows(kept), 1.0).reshape(dy.shape) if is_last else None
    dz = np.empty(dy.shape, np.float32)
    flat = plain(dy).reshape(-1), plain(kept).reshape(-1), dz.reshape(-1)
    by_rows(kernel, dz.size, _WORK * dz.size, *flat, *map(_F, parameters.values()))
    return dz


def _is_last(axis, array):
    return axis in (-1, array.ndim - 1)


def _rows(array):
    return array.reshape(-1, array.shape[-1])


@njit(reorder=False)
def _leaky_relu(first, stop, z, y, negative_slope):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        y[k] = z[k] if z[k] > _ZERO else negative_slope * z[k]


@njit(reorder=False)
def _leaky_relu_slope(first, stop, dy, y, dz, negative_slope):
    dy, y, dz = dy[first:stop], y[first:stop], dz[first:stop]
    for k in range(dz.size):
        dz[k] = dy[k] * (_ONE if y[k] > _ZERO else negative_slope)


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
def _hard_sigmoid(first, stop, z, y):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        y[k] = _between_0_and_1(z[k] / _SIX + _HALF)


@njit(reorder=False)
def _hard_sigmoid_slope(first, stop, dy, y, dz):
    dy, y, dz = dy[first:stop], y[first:stop], dz[first:stop]
    for k in range(dz.size):
        d = dy[k] / _SIX
        dz[k] = d if (y[k] > _ZERO) & (y[k] < _ONE) else _ZERO


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
def _hard_silu(first, stop, z, y):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        y[k] = z[k] * _between_0_and_1(z[k] / _SIX + _HALF)


@njit(reorder=False)
def _hard_silu_slope(first, stop, dy, z, dz):
    dy, z, dz = dy[first:stop], z[first:stop], dz[first:stop]
    for k in range(dz.size):
        line, beyond = z[k] / _THREE + _HALF, _ONE if z[k] > _ZERO else _ZERO
        dz[k] = dy[k] * (line if abs(z[k]) < _THREE else beyond)


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
        w = exp32(_FLAT if z[k] > _FLAT else z[k])
        n = w * (w + _TWO)
        over = _ONE / (n + _TWO)
        dz[k] = dy[k] * (n * over + z[k] * (_FOUR * w * (w + _ONE) * over * over))


@njit(reorder=False, inner=True)
def _between_0_and_1(x):
    x = _ZERO if x < _ZERO else x  # NaN stays NaN
    return _ONE if x > _ONE else x


_PAIRS = {  # a function, and what it makes of dy
    "leaky_relu": (_leaky_relu, _leaky_relu_slope),
    "elu": (_elu, _elu_slope),
    "celu": (_celu, _celu_slope),
    "selu": (_selu, _selu_slope),
    "sigmoid": (_sigmoid, _sigmoid_slope),
    "hard_sigmoid": (_hard_sigmoid, _hard_sigmoid_slope),
    "tanh": (_tanh, _tanh_slope),
    "softsign": (_softsign, _softsign_slope),
    "softplus": (_softplus, _softplus_slope),
    "log_sigmoid": (_log_sigmoid, _log_sigmoid_slope),
    "silu": (_silu, _silu_slope),
    "hard_silu": (_hard_silu, _hard_silu_slope),
    "mish": (_mish, _mish_slope),
}
_NONE = None, None
