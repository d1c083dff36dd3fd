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
from scratchnet.kernels.with_numba.team import by_rows

_BLOCK = 2048  # numbers, at least a row
_WORK = 8  # multiply-adds that take as long as a number


def softmax_forward(z, scale, may=None):
    z = plain(z)
    y = np.empty(z.shape, z.dtype)
    by_rows(softmax_rows, len(z), _WORK * z.size, z, *numbers_of(z.dtype, z.shape[1], scale, may), y)
    return y


def softmax_backward(dy, y, scale):
    dz = np.empty(y.shape, y.dtype)
    by_rows(_backward, len(y), 2 * y.size, plain(dy), plain(y), y.dtype.type(scale), dz)
    return dz


def numbers_of(dtype, S, scale=1.0, may=None):
    """What `softmax_rows` takes between z, with rows of S numbers, and y."""
    may = np.ones((0, 0), bool) if may is None else plain(may)
    return dtype.type(scale), may, dtype.type(HIDDEN), _rows_at_once(S)


@njit
def softmax_rows(first, stop, z, scale, may, hidden, rows, y):
    S = z.shape[1]
    for start in range(first, stop, rows):
        end = min(start + rows, stop)
        for m in range(start, end):
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
        powers = y[start:end].reshape(-1)
        if z.itemsize == 4:
            for k in range(powers.size):
                powers[k] = exp32(powers[k])
        else:
            for k in range(powers.size):
                powers[k] = math.exp(powers[k])
        for m in range(start, end):
            target, total = y[m], z.dtype.type(0)
            for s in range(S):
                total += target[s]
            for s in range(S):
                target[s] /= total


@njit
def _backward(first, stop, dy, y, scale, dz):
    S = y.shape[1]
    for m in range(first, stop):
        d_row, row, target = dy[m], y[m], dz[m]
        along = y.dtype.type(0)
        for s in range(S):
            along += d_row[s] * row[s]
        for s in range(S):
            target[s] = row[s] * (d_row[s] - along) * scale


def of_rows(z):
    return softmax_forward(z, 1.0)


def of_rows_backward(dy, y):
    return softmax_backward(dy, y, 1.0)


def log_of_rows(z):
    """``z - log(sum(e^z))`` of each row in float32."""
    y = np.empty(z.shape, z.dtype)
    by_rows(_log_forward, len(z), _WORK * z.size, plain(z), _rows_at_once(z.shape[1]), y)
    return y


def log_of_rows_backward(dy, y):
    dz = np.empty(y.shape, y.dtype)
    by_rows(_log_backward, len(y), _WORK * y.size, plain(dy), plain(y), _rows_at_once(y.shape[1]), dz)
    return dz


def _rows_at_once(S):
    return max(1, _BLOCK // max(1, S))


@njit
def _log_forward(first, stop, z, rows, y):
    S = z.shape[1]
    room = np.empty(min(rows, stop - first) * S, z.dtype)
    for start in range(first, stop, rows):
        end = min(start + rows, stop)
        for m in range(start, end):
            row, target, largest = z[m], y[m], -z.dtype.type(np.inf)
            for s in range(S):
                largest = max(largest, row[s])
            for s in range(S):
                target[s] = row[s] - largest
        shifted = y[start:end].reshape(-1)
        for k in range(shifted.size):
            room[k] = exp32(shifted[k])
        for m in range(start, end):
            powers, target, total = room[(m - start) * S : (m - start + 1) * S], y[m], z.dtype.type(0)
            for s in range(S):
                total += powers[s]
            log_of_total = z.dtype.type(math.log(total))
            for s in range(S):
                target[s] -= log_of_total


@njit
def _log_backward(first, stop, dy, y, rows, dz):
    S = y.shape[1]
    for start in range(first, stop, rows):
        end = min(start + rows, stop)
        logs, powers = y[start:end].reshape(-1), dz[start:end].reshape(-1)
        for k in range(logs.size):
            powers[k] = exp32(logs[k])
        for m in range(start, end):
            d_row, target, total = dy[m], dz[m], y.dtype.type(0)
            for s in range(S):
                total += d_row[s]
            for s in range(S):
                target[s] = d_row[s] - target[s] * total
