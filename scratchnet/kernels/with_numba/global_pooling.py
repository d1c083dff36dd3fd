"""The mean and the largest value of all places, compiled: with all channels of a place in the innermost loop.

Few channels fill no vectors, and loops over them end as soon as they begin. So several places are taken at a time, as
many as make `_WIDTH` numbers. For the mean at most `_RUN` of these are added up one after the other, so that the total
loses no digits where there are many places.
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.team import by_rows

_WIDTH = 512
_RUN = 64


def global_average_forward(x):
    x = plain(x)
    N, M, C = x.shape
    y = np.empty((N, C), x.dtype)
    by_rows(_average, N, x.size, x.reshape(N, M * C), M, places_at_a_time(M, C), y, multiple=1)
    return y


def global_average_backward(dy, M):
    N, C = dy.shape
    dx = np.empty((N, M, C), dy.dtype)
    known = plain(dy), dy.dtype.type(1 / M), places_at_a_time(M, C)
    by_rows(_spread, N, dx.size, *known, dx.reshape(N, M * C), multiple=1)
    return dx


def places_at_a_time(M, C):
    return max(1, min(_WIDTH // max(C, 1), M))


def global_max_forward(x):
    x = plain(x)
    N, M, C = x.shape
    y = np.empty((N, C), x.dtype)
    by_rows(_largest, N, x.size, x.reshape(N, M * C), places_at_a_time(M, C), y, multiple=1)
    return y


def global_max_backward(dy, x, y):
    dx = np.empty(x.shape, x.dtype)
    by_rows(_backward, len(x), 2 * x.size, plain(dy), plain(x), plain(y), dx, multiple=1)
    return dx


@njit
def _average(first, stop, x, M, places, y):
    width = places * y.shape[1]
    sums, total = np.empty(width, x.dtype), np.empty(width, x.dtype)
    for n in range(first, stop):
        total[:] = 0
        add_places(x[n], sums, total)
        mean_of_total(total, places, M, y[n])


@njit(inner=True)
def add_places(x, sums, total):
    """Add the channels (M C) of all places to `total`, which has those of some places side by side; `sums` is room."""
    width = sums.size
    for begin in range(0, x.size, _RUN * width):
        sums[:] = 0
        for start in range(begin, min(begin + _RUN * width, x.size), width):
            values = x[start : start + width]
            for k in range(values.size):
                sums[k] += values[k]
        for k in range(width):
            total[k] += sums[k]


@njit(inner=True)
def mean_of_total(total, places, M, y):
    """y (C,), the mean of M places, from the total of so many at a time, which is changed."""
    C, count = y.size, total.dtype.type(M)
    left = places
    while left > 1:  # the sums of the second half of the places are added to those of the first
        half = (left + 1) // 2
        behind = total[half * C : left * C]
        for k in range(behind.size):
            total[k] += behind[k]
        left = half
    for c in range(C):
        y[c] = total[c] / count


@njit
def _spread(first, stop, dy, share, places, dx):
    C, size = dy.shape[1], dx.shape[1]
    width = places * C
    row = np.empty(width, dx.dtype)
    for n in range(first, stop):
        for c in range(C):
            row[c] = dy[n, c] * share
        done = 1
        while done < places:  # twice as many places each time
            behind = row[done * C : min(2 * done, places) * C]
            for k in range(behind.size):
                behind[k] = row[k]
            done *= 2
        for start in range(0, size, width):
            target = dx[n, start : start + width]
            for k in range(target.size):
                target[k] = row[k]


@njit
def _largest(first, stop, x, places, y):
    C, size = y.shape[1], x.shape[1]
    width = places * C
    best = np.empty(width, x.dtype)
    for n in range(first, stop):
        best[:] = x[n, :width]
        for start in range(width, size, width):
            _keep_larger(best, x[n, start : start + width])
        left = places
        while left > 1:
            half = (left + 1) // 2
            _keep_larger(best, best[half * C : left * C])
            left = half
        y[n] = best[:C]


@njit(inner=True)
def _keep_larger(best, values):
    for k in range(values.size):
        best[k] = np.maximum(best[k], values[k])  # NaN, where one of them is


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
