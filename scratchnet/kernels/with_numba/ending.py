"""How both halves of a Transformer's block end: their input is added to what they make of it, and normalized by rows.

    z = F(x) + b + x        y = normalized(z) gamma + beta

Either may be missing. It is done while the rows are in the cache, and so is the way back: y and z are written once, dz
not at all.
"""

import numpy as np

from scratchnet.kernels.with_numba.attention import fetch
from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.elementwise import add_columns
from scratchnet.kernels.with_numba.normalization import normalize_rows, normalize_rows_back

ROWS = 60  # at a time, ten times as high as a tile: as long as they stay in the first-level cache x.T dz is quick


def made(M, F, ending, dtype):
    """``arguments, (z, y, means, stds)``: what `finish` wants of an ending, and room for what it makes of M rows.

    ending: ``adds_x, gamma, beta, epsilon``, where gamma and beta are None without a normalization.
    """
    adds, gamma, beta, epsilon = ending
    normalizes = gamma is not None
    gamma, beta = (plain(a.astype(dtype, copy=False)) if normalizes else np.empty(0, dtype) for a in (gamma, beta))
    y, z = np.empty((M, F), dtype), np.empty((M if normalizes else 0, F), dtype)
    means, stds = np.empty((2, M if normalizes else 0), dtype)
    return (bool(adds), gamma, beta, float(epsilon)), (z, y, means, stds)


@njit(inner=True)
def finish(m, last, b, x, adds, gamma, beta, epsilon, z, y, means, stds):
    """The rows from m to `last`, of which y is F(x) so far."""
    for n in range(m, last):
        row = y[n]
        if adds:
            x_n = x[n]
            for f in range(row.size):
                row[f] += b[f] + x_n[f]
        else:
            for f in range(row.size):
                row[f] += b[f]
    if gamma.size > 0:
        fetch(y[m:last], z[m:last])
        normalize_rows(m, last, z, gamma, beta, epsilon, True, y, means, stds)


@njit(inner=True)
def begin_back(m, last, dy, gamma, z, means, stds, dz, db, dgamma, dbeta, room):
    """dz becomes the adjoint of z's rows from m on; sums over them are added to those of b, gamma and beta.

    `room`: two numbers for each row.
    """
    if gamma.size > 0:
        normalize_rows_back(m, last, dy, z, means, stds, gamma, True, dz, dgamma, dbeta, room)
    else:
        fetch(dy[m:last], dz[: last - m])
    add_columns(dz[: last - m], db)


@njit(inner=True)
def add_to_each(rows, b):
    """``rows += b``"""
    for n in range(len(rows)):
        row = rows[n]
        for f in range(row.size):
            row[f] += b[f]
