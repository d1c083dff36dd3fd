"""The largest value of all places, compiled: with all channels of a place in the innermost loop, as they lie."""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.team import by_rows


def global_max_forward(x):
    x = plain(x)
    N, _, C = x.shape
    y = np.empty((N, C), x.dtype)
    by_rows(_forward, N, x.size, x, y)
    return y


def global_max_backward(dy, x, y):
    dx = np.empty(x.shape, x.dtype)
    by_rows(_backward, len(x), 2 * x.size, plain(dy), plain(x), plain(y), dx)
    return dx


@njit
def _forward(first, stop, x, y):
    _, M, C = x.shape
    for n in range(first, stop):
        best = y[n]
        best[:] = x[n, 0]
        for m in range(1, M):
            values = x[n, m]
            for c in range(C):
                # Larger, or the first NaN: "not <=" is true for a NaN on either side.
                wins = (not (values[c] <= best[c])) & (best[c] == best[c])
                best[c] = values[c] if wins else best[c]


@njit
def _backward(first, stop, dy, x, y, dx):
    _, M, C = x.shape
    share, one, zero, nan = np.empty(C, x.dtype), x.dtype.type(1), x.dtype.type(0), x.dtype.type(np.nan)
    for n in range(first, stop):
        best, dy_n = y[n], dy[n]
        share[:] = zero  # so far how many are the largest
        for m in range(M):
            values = x[n, m]
            for c in range(C):
                share[c] += one if values[c] == best[c] else zero
        for c in range(C):
            share[c] = dy_n[c] / share[c] if share[c] > zero else nan
        for m in range(M):
            values, target = x[n, m], dx[n, m]
            for c in range(C):
                target[c] = share[c] * (one if values[c] == best[c] else zero)
