"""A matrix laid out in panels, as tiles read it, for kernels that multiply by it at every step of a sequence."""

import functools

import numba
import numpy as np

from scratchnet.kernels.steps import transposed
from scratchnet.kernels.with_numba.address import address_of
from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.matrix_product import column_of_tiles, multiplier
from scratchnet.kernels.with_numba.tile import VECTOR_BYTES

LANES = VECTOR_BYTES // 4  # float32 numbers of a vector
_WIDTH = 2 * LANES  # of a panel
_DEPTH = 256  # rows of a panel at a time, which has up to 32 KB
_ROWS = 96  # of the left matrix at a time, which has 96 KB of that depth
_LEAST, _MOST = 4, 8 << 20  # rows that fill tiles; bytes of a matrix that may be there a second time


def in_panels(W):
    """(K, N) as (panels, K, columns), with zeros behind the last column."""
    K, N = W.shape
    padded = np.zeros((K, N + -N % _WIDTH), W.dtype)
    padded[:, :N] = W
    return np.ascontiguousarray(padded.reshape(K, -1, _WIDTH).transpose(1, 0, 2))


@njit(inner=True)
def multiply(a, first, stop, panels, z, add):
    """``z[:len(a)] = a[:, first:stop] @ W[first:stop]``, or ``+=``, for the panels of W. z has whole vectors."""
    for k in range(first, stop, _DEPTH):
        depth = min(_DEPTH, stop - k)
        for p in range(len(panels)):
            n = p * _WIDTH
            block = panels[p, k : k + depth, : min(_WIDTH, z.shape[1] - n)]
            column_of_tiles(a, 0, len(a), k, depth, block, z, n, add or k > first)


def laid_out(W, T, N):
    """``(times, matrix)`` for `add_matmul_by` and `matmul_into_by`, which multiply N rows by W at each of T steps.

    Its rows lie so far apart that those of a block fall into few places of the cache. With panels instead a product of
    64 rows takes 0.7 to 0.85 of the time. They are made once, not at every step.
    """
    if W.dtype != np.float32 or N < _LEAST or T * N < len(W) or W.nbytes > _MOST:
        return multiplier(W.dtype), plain(W) if W.flags.c_contiguous else transposed(W.T)
    return _address(), in_panels(W).reshape(-1, _WIDTH)


@functools.cache
def _address():
    if numba.config.DISABLE_JIT:
        return _multiply
    any_order, by_rows = (numba.types.Array(numba.types.float32, 2, order) for order in "AC")
    return address_of(_multiply, (any_order, any_order, by_rows, numba.types.boolean))


@njit
def _multiply(a, panels, c, add):
    """``c = a @ W``, or ``+=``, for the panels of W, one below the other."""
    (M, K), N = a.shape, c.shape[1]
    if len(c) != M or len(panels) != (N + _WIDTH - 1) // _WIDTH * K or panels.shape[1] != _WIDTH:
        raise ValueError("matmul: the shapes of a, the panels and c do not fit together")
    left = N % _WIDTH  # columns of the last panel, which go by way of `rest` where they fill no vectors
    rest = np.empty((M if left % LANES else 0, LANES if left < LANES else _WIDTH), c.dtype)
    for k in range(0, K, _DEPTH):
        depth = min(_DEPTH, K - k)
        for m in range(0, M, _ROWS):
            stop = min(m + _ROWS, M)
            for n in range(0, N, _WIDTH):
                columns, start = min(_WIDTH, N - n), n // _WIDTH * K + k
                vectors = LANES if columns <= LANES else _WIDTH
                target, column = (c, n) if columns == vectors else (rest, 0)
                adds = k > 0 or (add and columns == vectors)
                column_of_tiles(a, m, stop, k, depth, panels[start : start + depth, :vectors], target, column, adds)
    for m in range(len(rest)):
        source, target_row = rest[m], c[m, N - left :]
        for j in range(left):
            target_row[j] = target_row[j] + source[j] if add else source[j]
