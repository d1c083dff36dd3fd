"""Matrix products of the sizes that layers have, for compiled code: without the interpreter, and without BLAS.

BLAS is made for large matrices: before it multiplies, it copies both into an order of its own. For the product of a
time step, 64 rows by 128 columns, or of a convolution, one of whose matrices has 32 columns, that takes up to half of
the time. Here both are read where they lie, the right one a block at a time, so that it stays in the cache until all
rows of the left one have met it:

    c[:, n : n + width] += a[:, k : k + depth] @ block           block = b[k : k + depth, n : n + width]

Only where the columns of a block do not lie one after the other, or do not fill a vector, is it copied.

Cost: 2 M K N floating-point operations; on one Zen 4 core (float32, AVX-512) 100 to 115 thousand millions of them a
second for these sizes, where OpenBLAS does 55 to 100, and 100 in a large product.
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.tile import TALLEST, VECTOR_BYTES, make_tile

_DEPTH = 256  # rows of a block: with two vectors of columns it has 32 KB

_tile_8_2, _tile_4_2, _tile_2_2, _tile_1_2 = (make_tile(rows, vectors=2) for rows in (8, 4, 2, 1))
_tile_8_1, _tile_4_1, _tile_2_1, _tile_1_1 = (make_tile(rows, vectors=1) for rows in (8, 4, 2, 1))


def matmul(a, b):
    if a.dtype != b.dtype:
        raise TypeError(f"matmul: expected two matrices of one dtype, got {a.dtype} and {b.dtype}")
    a, b = (array if array.flags.farray else plain(array) for array in (a, b))  # a transposed matrix needs no copy
    c = np.empty((len(a), b.shape[1]), a.dtype)
    matmul_into(a, b, c)
    return c


@njit
def matmul_into(a, b, c):
    """``c = a @ b``: (M, K), (K, N) -> (M, N). c is contiguous; a and b may have any strides."""
    _multiply(a[:, ::1], b[:, ::1], c, False)


@njit
def add_matmul(a, b, c):
    """``c += a @ b``, as `matmul_into`."""
    _multiply(a[:, ::1], b[:, ::1], c, True)


# Of what is sliced with a step Numba does not know in which order it lies: so it compiles one product for all orders,
# where each would take a second.


@njit
def _multiply(a, b, c, add):
    M, K = a.shape
    N = b.shape[1]
    if len(b) != K or c.shape != (M, N):  # a tile would read and write whatever lies there
        raise ValueError("matmul: the shapes of a, b and c do not fit together")
    lanes = VECTOR_BYTES // c.itemsize
    left = N % (2 * lanes)
    room = np.zeros((min(K, _DEPTH), 3 * lanes), c.dtype)  # for a copied block of two vectors, and for one of one
    rest = np.empty((M if left % lanes else 0, lanes if left < lanes else 2 * lanes), c.dtype)  # see the end
    for k in range(0, max(K, 1), _DEPTH):  # once even for K = 0, which writes zeros
        depth = min(_DEPTH, K - k)
        for n in range(0, N, 2 * lanes):
            columns = min(2 * lanes, N - n)
            fills_vectors = columns % lanes == 0
            if fills_vectors and b.strides[1] == b.itemsize:
                block = b[k : k + depth, n : n + columns]
            else:
                block = room[:, : 2 * lanes] if columns > lanes else room[:, 2 * lanes :]
                _copy(b, k, depth, n, columns, block)
            if fills_vectors:
                _column_of_tiles(a, k, depth, block, c, n, add or k > 0)
            else:
                _column_of_tiles(a, k, depth, block, rest, 0, k > 0)
    if len(rest) > 0:  # the last columns, which fill no vector
        for m in range(M):
            for j in range(left):
                c[m, N - left + j] = c[m, N - left + j] + rest[m, j] if add else rest[m, j]


@njit
def _copy(b, k, depth, n, columns, block):
    for d in range(depth):
        source, target = b[k + d, n:], block[d]
        for j in range(columns):
            target[j] = source[j]


@njit
def _column_of_tiles(a, k, depth, block, c, n, add):
    """``c[:, n : n + width] = a[:, k : k + depth] @ block``, or ``+=``."""
    M, m = len(a), 0
    two = block.shape[1] * block.itemsize > VECTOR_BYTES
    while m < M:
        if M - m >= 8 and TALLEST >= 8:
            if two:
                _tile_8_2(a, m, k, depth, block, c, n, add)
            else:
                _tile_8_1(a, m, k, depth, block, c, n, add)
            m += 8
        elif M - m >= 4:
            if two:
                _tile_4_2(a, m, k, depth, block, c, n, add)
            else:
                _tile_4_1(a, m, k, depth, block, c, n, add)
            m += 4
        elif M - m >= 2:
            if two:
                _tile_2_2(a, m, k, depth, block, c, n, add)
            else:
                _tile_2_1(a, m, k, depth, block, c, n, add)
            m += 2
        else:
            if two:
                _tile_1_2(a, m, k, depth, block, c, n, add)
            else:
                _tile_1_1(a, m, k, depth, block, c, n, add)
            m += 1
