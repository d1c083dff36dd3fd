"""A matrix laid out in panels, as tiles read it, for kernels that multiply by it at every step of a sequence."""

import numpy as np

from scratchnet.kernels.steps import transposed
from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.matrix_product import column_of_tiles
from scratchnet.kernels.with_numba.tile import VECTOR_BYTES

LANES = VECTOR_BYTES // 4  # float32 numbers of a vector
_WIDTH = 2 * LANES  # of a panel
_DEPTH = 256  # rows of a panel at a time, which has up to 32 KB
_LEAST, _MOST = 4, 8 << 20  # rows that fill tiles; bytes of a matrix that may be there a second time


def in_panels(W, width=_WIDTH, last=None):
    """(K, N) as (panels, K, width), with zeros behind the last column; with `last` (N,), that is one more row."""
    K, N = W.shape
    padded = np.zeros((K if last is None else K + 1, N + -N % width), W.dtype)
    padded[:K, :N] = W
    if last is not None:
        padded[K, :N] = last
    return np.ascontiguousarray(padded.reshape(len(padded), -1, width).transpose(1, 0, 2))


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
    """W for `add_matmul_by` and `matmul_into_by`, which multiply N rows by it at each of T steps.

    Its rows lie so far apart that those of a block fall into few places of the cache. With panels, one below the other,
    a product of 64 rows takes 0.7 to 0.85 of the time. They are made once, not at every step.
    """
    if W.dtype != np.float32 or N < _LEAST or T * N < len(W) or W.nbytes > _MOST:
        return plain(W) if W.flags.c_contiguous else transposed(W.T)
    return in_panels(W).reshape(-1, _WIDTH)
