"""Softmax of rows, compiled: some rows at a time, which stay in the first-level cache while they are read four times.

Rows may be short, and powers take the longest. So these are computed for several rows in one loop.
"""

import math

import numpy as np

from scratchnet.kernels.loops.softmax import HIDDEN
from scratchnet.kernels.with_numba.attention import (  # noqa: F401 (for `scratchnet.kernels`: softmax amid products)
    attention_backward,
    attention_forward,
)
from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.elementwise import exp32

_BLOCK = 2048  # numbers, at least a row


def softmax_forward(z, scale, may=None):
    z = plain(z)
    y = np.empty(z.shape, z.dtype)
    may = np.ones((0, 0), bool) if may is None else plain(may)
    of_dtype = z.dtype.type
    _forward(z, of_dtype(scale), may, of_dtype(HIDDEN), max(1, _BLOCK // max(1, z.shape[1])), y)
    return y


def softmax_backward(dy, y, scale):
    dz = np.empty(y.shape, y.dtype)
    _backward(plain(dy), plain(y), y.dtype.type(scale), dz)
    return dz


@njit
def _forward(z, scale, may, hidden, rows, y):
    M, S = z.shape
    for start in range(0, M, rows):
        stop = min(start + rows, M)
        for m in range(start, stop):
            row, target, largest = z[m], y[m], -z.dtype.type(np.inf)
            if may.size > 0:
                sees = may[m]
                for s in range(S):
                    target[s] = row[s] * scale if sees[s] else hidden
            else:
                for s in range(S):
                    target[s] = row[s] * scale
            for s in range(S):
                largest = max(largest, target[s])
            for s in range(S):
                target[s] -= largest
        powers = y[start:stop].reshape(-1)
        if z.itemsize == 4:
            for k in range(powers.size):
                powers[k] = exp32(powers[k])
        else:
            for k in range(powers.size):
                powers[k] = math.exp(powers[k])
        for m in range(start, stop):
            target, total = y[m], z.dtype.type(0)
            for s in range(S):
                total += target[s]
            for s in range(S):
                target[s] /= total


@njit
def _backward(dy, y, scale, dz):
    M, S = y.shape
    for m in range(M):
        d_row, row, target = dy[m], y[m], dz[m]
        along = y.dtype.type(0)
        for s in range(S):
            along += d_row[s] * row[s]
        for s in range(S):
            target[s] = row[s] * (d_row[s] - along) * scale
