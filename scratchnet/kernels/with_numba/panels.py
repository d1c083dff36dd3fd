"""A matrix laid out in panels, as tiles read it, for kernels that multiply by it at every step of a sequence."""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit
from scratchnet.kernels.with_numba.matrix_product import column_of_tiles
from scratchnet.kernels.with_numba.tile import VECTOR_BYTES

LANES = VECTOR_BYTES // 4  # float32 numbers of a vector
_WIDTH = 2 * LANES  # of a panel
_DEPTH = 256  # rows of a panel at a time, which has up to 32 KB


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
