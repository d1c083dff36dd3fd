"""The mean over all places of ``f(x W + b)``, without an array of all of them.

That is the end of many image classifiers: a convolution whose window is one pixel, its activation, and global average
pooling. What it makes of a pixel is read once, a moment later. So some places at a time go through all three, and never
leave the cache. Without an activation the mean is taken first, and multiplied alone:

    mean over p of  (x_p W + b)  =  (mean over p of  x_p) W + b
"""

import numpy as np

from scratchnet.kernels.with_numba.affine import affine_forward
from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.global_pooling import (
    add_places,
    global_average_forward,
    mean_of_total,
    places_at_a_time,
)
from scratchnet.kernels.with_numba.matrix_product import matmul_into_by, multiplier
from scratchnet.kernels.with_numba.softmax import numbers_of, softmax_rows
from scratchnet.kernels.with_numba.step_activations import activate, function_of
from scratchnet.kernels.with_numba.team import by_rows

_AT_ONCE = 1 << 13  # numbers of x W: 32 KB
_MOST = 1 << 18  # bytes of W, which is read anew for every sample


def affine_mean(x, W, b, activation):
    """``f(x W + b)`` (N, M, F), averaged over M: (N, F). None where that takes longer, or f is not compiled.

    Args:
        x: (N, M, C).
        W, b: (C, F), and (F,) or None.
        activation: f, an Activation.
    """
    N, M, C = x.shape
    F, dtype = W.shape[1], x.dtype
    if activation.standard and activation.name == "linear":
        return affine_forward(global_average_forward(x), W, b)
    bounds, function, softmax = (0, activation.relu_limit), None, None
    if activation.relu_limit is None:
        bounds, function = (-np.inf, np.inf), function_of(dtype, activation)
        softmax = numbers_of(dtype, F) if activation.entry == "softmax" and activation.complete["axis"] == -1 else None
        if function is None and softmax is None:
            return None
    if M < C or W.nbytes > _MOST or dtype != np.float32 or W.dtype != dtype:
        return None
    y, b = np.empty((N, F), dtype), np.zeros(F, dtype) if b is None else plain(b)
    known = multiplier(dtype), plain(x), plain(W), b, *map(dtype.type, bounds), function, softmax
    by_rows(_means, N, x.size * F, *known, max(1, min(_AT_ONCE // F, M)), places_at_a_time(M, F), y, multiple=1)
    return y


@njit
def _means(first, stop, times, x, W, b, least, most, function, softmax, rows, places, y):
    M, F = x.shape[1], y.shape[1]
    z, with_bias = np.empty((rows, F), x.dtype), np.empty(rows * F, x.dtype)
    sums, total, biases = np.empty(places * F, x.dtype), np.empty(places * F, x.dtype), np.empty(places * F, x.dtype)
    for p in range(places):
        biases[p * F : (p + 1) * F] = b
    for n in range(first, stop):
        total[:] = 0
        for m in range(0, M, rows):
            part = z[: min(rows, M - m)]
            matmul_into_by(times, x[n, m : m + len(part)], W, part)
            values, activated = part.reshape(-1), with_bias[: part.size]
            _add_biases(values, biases, least, most, activated)
            if function is not None:
                activate(function, activated, values)
                activated = values
            elif softmax is not None:
                scale, may, hidden, at_once = softmax
                softmax_rows(0, len(part), activated.reshape(part.shape), scale, may, hidden, at_once, part)
                activated = values
            add_places(activated, sums, total)
        mean_of_total(total, places, M, y[n])


@njit(inner=True)
def _add_biases(z, biases, least, most, y):
    """Some places at a time: few channels would not fill a vector."""
    for start in range(0, z.size, biases.size):
        values, target = z[start : start + biases.size], y[start : start + biases.size]
        for k in range(values.size):
            target[k] = min(max(values[k] + biases[k], least), most)  # NaN stays NaN
