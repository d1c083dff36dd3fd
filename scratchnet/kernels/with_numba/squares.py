"""Sums of squares, the same bits with a team and without: sizes alone decide over what; and what is scaled by them."""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.team import by_rows

_BLOCK = 8192  # elements of a whole array that are added up in one go
_ROWS = 16  # of a matrix, from which on it has two sums for each column


def squared_norm(a):
    """The sum over all elements, as a float."""
    a = plain(a).reshape(-1)
    sums = np.empty(-(-a.size // _BLOCK), a.dtype)
    by_rows(_of_blocks, len(sums), a.size, a, a.dtype.type(0), sums, multiple=1)
    return float(sums.sum(dtype=np.float64))


@njit
def _of_blocks(first, stop, a, zero, sums):
    for n in range(first, stop):
        block, total = a[n * _BLOCK : (n + 1) * _BLOCK], zero
        for k in range(block.size):
            total += block[k] * block[k]
        sums[n] = total


def sums_of_squares(a, epsilon=0.0):
    """Of L matrices (L, N, M), plus `epsilon` for each element: over each row (L, N), and over each column (L, M)."""
    a = plain(a)
    L, N, M = a.shape
    parts = 2 if N >= _ROWS else 1
    of_rows, of_columns = np.empty((L, N), a.dtype), np.empty((L, parts, M), a.dtype)
    numbers = map(a.dtype.type, (0, epsilon))
    by_rows(_of_rows_and_columns, L * parts, 2 * a.size, a, *numbers, of_rows, of_columns, multiple=1)
    return of_rows, of_columns.sum(axis=1)


@njit
def _of_rows_and_columns(first, stop, a, zero, epsilon, of_rows, of_columns):
    N, M = a.shape[1:]
    parts = of_columns.shape[1]
    for place in range(first, stop):
        k, part = place // parts, place % parts
        sums = of_columns[k, part]
        sums[:] = zero
        for n in range(N * part // parts, N * (part + 1) // parts):
            row, total = a[k, n], zero
            for m in range(M):
                square = row[m] * row[m] + epsilon
                sums[m] += square
                total += square
            of_rows[k, n] = total


def scale_columns(a, factors):
    """``a *= factors[:, None]`` of L matrices (L, N, M) with factors (L, M)."""
    by_rows(_scale_columns, a.shape[0] * a.shape[1], 2 * a.size, a, plain(factors))


@njit
def _scale_columns(first, stop, a, factors):
    N, M = a.shape[1:]
    for place in range(first, stop):
        row, scale = a[place // N, place % N], factors[place // N]
        for m in range(M):
            row[m] *= scale[m]
