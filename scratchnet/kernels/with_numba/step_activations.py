"""The activations of a recurrent layer's steps, compiled.

Steps call each by its address: so no kernel of a recurrent layer has a copy of any, which it would be compiled with.
Those that are Keras's defaults somewhere take float64 too, and their slopes multiply in place; they stand here, but for
tanh and sigmoid in float32. All others of the table whose derivative comes from their output are functions of
`activations`. Compiled code is handed the address, whether a parameter follows, and the parameter: of one type for all,
so that a step is compiled once for all.
"""

import functools
import math

import numba
import numpy as np
from numba import types

from scratchnet.kernels.with_numba.activations import pair_of
from scratchnet.kernels.with_numba.address import address_of, call_at
from scratchnet.kernels.with_numba.compile import njit

_ZERO, _HALF, _ONE, _SIX = map(np.float32, (0, 0.5, 1, 6))


def forward_of(dtype, *activations):
    """What `activate` is handed for each of some Activations; None if one of them is not compiled."""
    return _all_or_nothing([_of(activation, dtype, 0, 2) for activation in activations])


def backward_of(dtype, *activations):
    """What `multiply_by_slope` is handed for each of some Activations; None if one of them is not compiled."""
    return _all_or_nothing([_of(activation, dtype, 1, 3) for activation in activations])


def function_of(dtype, activation):
    """As `forward_of` for one of them, also if its derivative needs z; for those who do not go back."""
    return _of(activation, dtype, 0, 2, keeps=("y", "z"))


def _all_or_nothing(found):
    return None if any(one is None for one in found) else found


def _of(activation, dtype, place, arrays, keeps=("y",)):
    """The address of the kernel at that place of its pair, which takes so many arrays, and the parameter; or None."""
    if activation.standard and (pair := _PAIRS[np.dtype(dtype)].get(activation.name)):
        return _address(pair[place], np.dtype(dtype), arrays, 0), False, _ZERO
    if activation.entry is None or activation.keeps not in keeps or dtype != np.float32:
        return None
    kernels, numbers = pair_of(activation.entry, activation.complete)
    if kernels[place] is None or len(numbers) > 1:
        return None
    return _address(kernels[place], np.dtype(dtype), arrays, len(numbers)), bool(numbers), *(numbers or (_ZERO,))


@functools.cache
def _address(kernel, dtype, arrays, numbers):
    if numba.config.DISABLE_JIT:
        return kernel
    array = types.Array(numba.from_dtype(dtype), 1, "C")
    return address_of(kernel, (types.intp, types.intp, *[array] * arrays, *[types.float32] * numbers))


@njit(inline="always")
def activate(act, z, y):
    """``y = f(z)`` for arrays with one axis; `act` comes from `forward_of`."""
    _call(*act, z, y)


@njit(inline="always")
def multiply_by_slope(act, y, d):
    """``d *= f'(z)`` for arrays with one axis, from y = f(z); `act` comes from `backward_of`."""
    _call_back(*act, y, d)


@njit(inner=True)
def _call(address, has_number, number, z, y):
    if has_number:
        call_at(address, 0, y.size, z, y, number)
    else:
        call_at(address, 0, y.size, z, y)


@njit(inner=True)
def _call_back(address, has_number, number, y, d):
    if has_number:
        call_at(address, 0, d.size, d, y, d, number)
    else:
        call_at(address, 0, d.size, d, y, d)


# All are called as those of `activations`, for the numbers from `first` to `stop`. Slopes stand here because there what
# comes in and what goes out are two arrays: if they are one, which the compiler does not know, no loop is vectorised.


@njit(inner=True)
def _linear(first, stop, z, y):
    z, y = z[first:stop], y[first:stop]
    for u in range(y.size):
        y[u] = z[u]


@njit(inner=True)
def _linear_slope(first, stop, dy, y, d):
    pass


@njit(inner=True)
def _relu(first, stop, z, y):
    z, y = z[first:stop], y[first:stop]
    for u in range(y.size):
        y[u] = max(z[u], _ZERO)


@njit(inner=True)
def _relu_slope(first, stop, dy, y, d):
    y, d = y[first:stop], d[first:stop]
    for u in range(d.size):
        d[u] = d[u] if y[u] > _ZERO else _ZERO


@njit(inner=True)
def _tanh(first, stop, z, y):
    z, y = z[first:stop], y[first:stop]
    for u in range(y.size):
        y[u] = math.tanh(z[u])


@njit(inner=True)
def _tanh_slope(first, stop, dy, y, d):
    y, d = y[first:stop], d[first:stop]
    for u in range(d.size):
        d[u] *= _ONE - y[u] * y[u]


@njit(inner=True)
def _sigmoid(first, stop, z, y):
    z, y = z[first:stop], y[first:stop]
    for u in range(y.size):
        y[u] = 1 / (1 + math.exp(min(-z[u], 700.0)))  # beyond, math.exp overflows


@njit(inner=True)
def _sigmoid_slope(first, stop, dy, y, d):
    y, d = y[first:stop], d[first:stop]
    for u in range(d.size):
        d[u] *= y[u] * (_ONE - y[u])


@njit(inner=True)
def _hard_sigmoid(first, stop, z, y):
    z, y = z[first:stop], y[first:stop]
    for u in range(y.size):
        y[u] = min(max(z[u] / _SIX + _HALF, _ZERO), _ONE)


@njit(inner=True)
def _hard_sigmoid_slope(first, stop, dy, y, d):
    y, d = y[first:stop], d[first:stop]
    for u in range(d.size):
        d[u] = d[u] / _SIX if _ZERO < y[u] < _ONE else _ZERO


_OF_BOTH = {
    "linear": (_linear, _linear_slope),
    "relu": (_relu, _relu_slope),
    "hard_sigmoid": (_hard_sigmoid, _hard_sigmoid_slope),
}
_TANH_32, _SIGMOID_32 = (pair_of(name, {})[0][0] for name in ("tanh", "sigmoid"))
_PAIRS = {
    np.dtype("float32"): {**_OF_BOTH, "tanh": (_TANH_32, _tanh_slope), "sigmoid": (_SIGMOID_32, _sigmoid_slope)},
    np.dtype("float64"): {**_OF_BOTH, "tanh": (_tanh, _tanh_slope), "sigmoid": (_sigmoid, _sigmoid_slope)},
}
