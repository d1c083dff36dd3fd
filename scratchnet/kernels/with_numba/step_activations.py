"""The activations of a recurrent layer's steps, compiled.

Those that are Keras's defaults somewhere stand here. All others of the table whose derivative comes from their output
are functions of `activations`, which steps call by address: so no kernel of a recurrent layer has a copy of each, which
it would be compiled with. Compiled code is handed a pair, a code and a parameter, if there is one; the code is a small
number, or the address.
"""

import functools
import math

import numba
import numpy as np
from numba import types

from scratchnet.kernels.steps import COMPILED_ACTIVATIONS
from scratchnet.kernels.with_numba.activations import pair_of
from scratchnet.kernels.with_numba.address import address_of, call_at
from scratchnet.kernels.with_numba.compile import njit
from scratchnet.kernels.with_numba.elementwise import sigmoid32, tanh32

_LINEAR, _RELU, _TANH, _SIGMOID, _HARD_SIGMOID = range(5)
_CODES = dict(zip(COMPILED_ACTIVATIONS, range(5)))
_ZERO, _HALF, _ONE, _SIX = map(np.float32, (0, 0.5, 1, 6))
_NOTHING = np.empty(0, np.float32)
_NUMBERS = types.Array(types.float32, 1, "C")


def forward_of(dtype, *activations):
    """What `activate` is handed for each of some Activations; None if one of them is not compiled."""
    return _all_or_nothing([_of(activation, dtype, 0, 2) for activation in activations])


def backward_of(dtype, *activations):
    """What `multiply_by_slope` is handed for each of some Activations; None if one of them is not compiled."""
    return _all_or_nothing([_of(activation, dtype, 1, 3) for activation in activations])


def _all_or_nothing(found):
    return None if any(one is None for one in found) else found


def _of(activation, dtype, place, arrays):
    """The code and the parameter; for one by address, of the kernel at that place of its pair, with so many arrays."""
    if activation.standard and activation.name in _CODES:
        return _CODES[activation.name], _NOTHING
    if activation.entry is None or activation.keeps != "y" or dtype != np.float32:
        return None
    kernels, numbers = pair_of(activation.entry, activation.complete)
    if kernels[place] is None or len(numbers) > 1:
        return None
    return _address(kernels[place], arrays, len(numbers)), np.array(numbers, np.float32)


@functools.cache
def _address(kernel, arrays, numbers):
    if numba.config.DISABLE_JIT:
        return kernel
    return address_of(kernel, (types.intp, types.intp, *[_NUMBERS] * arrays, *[types.float32] * numbers))


@njit(inner=True)
def activate(act, z, y):
    """``y = f(z)`` for arrays with one axis; `act` comes from `forward_of`."""
    code, numbers = act
    if code == _RELU:
        for u in range(y.size):
            y[u] = max(z[u], _ZERO)
    elif code == _SIGMOID:
        if z.itemsize == 4:
            for u in range(y.size):
                y[u] = sigmoid32(z[u])
        else:
            for u in range(y.size):
                y[u] = 1 / (1 + math.exp(min(-z[u], 700.0)))  # beyond, math.exp overflows
    elif code == _TANH:
        if z.itemsize == 4:
            for u in range(y.size):
                y[u] = tanh32(z[u])
        else:
            for u in range(y.size):
                y[u] = math.tanh(z[u])
    elif code == _HARD_SIGMOID:
        for u in range(y.size):
            y[u] = min(max(z[u] / _SIX + _HALF, _ZERO), _ONE)
    elif code == _LINEAR:
        for u in range(y.size):
            y[u] = z[u]
    elif numbers.size == 0:
        call_at(code, 0, y.size, z, y)
    else:
        call_at(code, 0, y.size, z, y, numbers[0])


@njit(inner=True)
def multiply_by_slope(act, y, d):
    """``d *= f'(z)`` for arrays with one axis, from y = f(z); `act` comes from `backward_of`."""
    code, numbers = act
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
    elif code == _LINEAR:
        pass
    elif numbers.size == 0:
        call_at(code, 0, d.size, d, y, d)
    else:
        call_at(code, 0, d.size, d, y, d, numbers[0])
