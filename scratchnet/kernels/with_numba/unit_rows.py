"""Rows of the length 1, compiled: what `scratchnet.layers.normalization.unit_normalization` says, in one pass each."""

import math

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.team import by_rows


def unit_rows_forward(x, shortest):
    """``y, n`` for x (M, D): y = x / n, and n (M,) the lengths, none below `shortest`."""
    x = plain(x)
    y, n = np.empty(x.shape, x.dtype), np.empty(len(x), x.dtype)
    by_rows(_forward, len(x), x.size, x, float(shortest), y, n)
    return y, n


def unit_rows_backward(dy, y, n):
    """``dx = (dy - y sum(dy y)) / n``, with a sum for each row."""
    dy, y = plain(dy), plain(y)
    dx = np.empty(y.shape, y.dtype)
    by_rows(_backward, len(y), y.size, dy, y, plain(n), dx)
    return dx


@njit
def _forward(first, stop, x, shortest, y, n):
    one = x.dtype.type(1)
    for m in range(first, stop):
        row, target, square = x[m], y[m], 0.0
        for d in range(row.size):
            square += np.float64(row[d]) * np.float64(row[d])
        length = math.sqrt(square)
        n[m] = shortest if length < shortest else length  # NaN stays NaN
        inverse = one / n[m]
        for d in range(row.size):
            target[d] = row[d] * inverse


@njit
def _backward(first, stop, dy, y, n, dx):
    one = y.dtype.type(1)
    for m in range(first, stop):
        row, d_row, target, product = y[m], dy[m], dx[m], 0.0
        for d in range(row.size):
            product += np.float64(d_row[d] * row[d])
        along, inverse = y.dtype.type(product), one / n[m]
        for d in range(row.size):
            target[d] = (d_row[d] - row[d] * along) * inverse
