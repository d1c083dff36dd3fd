"""Activation functions made of straight lines, and their derivatives, compiled: see `activations`, which calls them.

What each computes stands in `scratchnet.piecewise`.
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit
from scratchnet.kernels.with_numba.elementwise import cut

_ZERO, _HALF, _ONE, _THREE, _SIX = map(np.float32, (0, 0.5, 1, 3, 6))


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
def _threshold(first, stop, z, y, threshold, default_value):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        y[k] = z[k] if z[k] > threshold else default_value


@njit(reorder=False)
def _threshold_slope(first, stop, dy, z, dz, threshold, default_value):
    dy, z, dz = dy[first:stop], z[first:stop], dz[first:stop]
    for k in range(dz.size):
        dz[k] = dy[k] if z[k] > threshold else _ZERO


@njit(reorder=False)
def _hard_shrink(first, stop, z, y, threshold):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        y[k] = _ZERO if abs(z[k]) <= threshold else z[k]  # NaN stays NaN


@njit(reorder=False)
def _soft_shrink(first, stop, z, y, threshold):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        near = -threshold if z[k] < -threshold else z[k]
        y[k] = z[k] - (threshold if near > threshold else near)


@njit(reorder=False)
def _shrink_slope(first, stop, dy, y, dz, threshold):
    dy, y, dz = dy[first:stop], y[first:stop], dz[first:stop]
    for k in range(dz.size):
        dz[k] = _ZERO if y[k] == _ZERO else dy[k]


@njit(reorder=False)
def _hard_tanh(first, stop, z, y):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        y[k] = cut(z[k], -_ONE, _ONE)


@njit(reorder=False)
def _hard_tanh_slope(first, stop, dy, z, dz):
    dy, z, dz = dy[first:stop], z[first:stop], dz[first:stop]
    for k in range(dz.size):
        dz[k] = dy[k] if abs(z[k]) <= _ONE else _ZERO


@njit(reorder=False)
def _hard_sigmoid(first, stop, z, y):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        y[k] = cut(z[k] / _SIX + _HALF, _ZERO, _ONE)


@njit(reorder=False)
def _hard_sigmoid_slope(first, stop, dy, y, dz):
    dy, y, dz = dy[first:stop], y[first:stop], dz[first:stop]
    for k in range(dz.size):
        d = dy[k] / _SIX
        dz[k] = d if (y[k] > _ZERO) & (y[k] < _ONE) else _ZERO


@njit(reorder=False)
def _hard_silu(first, stop, z, y):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        y[k] = z[k] * cut(z[k] / _SIX + _HALF, _ZERO, _ONE)


@njit(reorder=False)
def _hard_silu_slope(first, stop, dy, z, dz):
    dy, z, dz = dy[first:stop], z[first:stop], dz[first:stop]
    for k in range(dz.size):
        line, beyond = z[k] / _THREE + _HALF, _ONE if z[k] > _ZERO else _ZERO
        dz[k] = dy[k] * (line if abs(z[k]) < _THREE else beyond)


@njit(reorder=False)
def _sparse_sigmoid(first, stop, z, y):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        y[k] = cut(_HALF * z[k] + _HALF, _ZERO, _ONE)


@njit(reorder=False)
def _sparse_sigmoid_slope(first, stop, dy, y, dz):
    dy, y, dz = dy[first:stop], y[first:stop], dz[first:stop]
    for k in range(dz.size):
        d = dy[k] * _HALF
        dz[k] = d if (y[k] > _ZERO) & (y[k] < _ONE) else _ZERO


@njit(reorder=False)
def _sparse_plus(first, stop, z, y):
    z, y = z[first:stop], y[first:stop]
    for k in range(y.size):
        s = cut(_HALF * z[k] + _HALF, _ZERO, _ONE)
        y[k] = s * s if z[k] < _ONE else z[k]


@njit(reorder=False)
def _sparse_plus_slope(first, stop, dy, z, dz):
    dy, z, dz = dy[first:stop], z[first:stop], dz[first:stop]
    for k in range(dz.size):
        dz[k] = dy[k] * cut(_HALF * z[k] + _HALF, _ZERO, _ONE)


PAIRS = {  # a function, and what it makes of dy
    "leaky_relu": (_leaky_relu, _leaky_relu_slope),
    "threshold": (_threshold, _threshold_slope),
    "hard_shrink": (_hard_shrink, _shrink_slope),
    "soft_shrink": (_soft_shrink, _shrink_slope),
    "hard_tanh": (_hard_tanh, _hard_tanh_slope),
    "hard_sigmoid": (_hard_sigmoid, _hard_sigmoid_slope),
    "hard_silu": (_hard_silu, _hard_silu_slope),
    "sparse_sigmoid": (_sparse_sigmoid, _sparse_sigmoid_slope),
    "sparse_plus": (_sparse_plus, _sparse_plus_slope),
}
