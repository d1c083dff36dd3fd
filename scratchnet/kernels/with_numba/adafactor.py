"""Adafactor for matrices in three passes: the means of the squares, the sizes of step and parameter, and the step.

With v = r c^T / mean(r), the step u = g / sqrt(v) is g times a number of its row and one of its column. So neither v
nor u is ever written down: the passes read g; g and w; g and w again, and only the last one writes, into w.
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit
from scratchnet.kernels.with_numba.squares import sums_of_squares
from scratchnet.kernels.with_numba.team import by_rows


def adafactor_update(param, grad, r, c, rho, beta, epsilon_1, epsilon_2, clip_threshold):
    """`param` and `grad` have any number of axes in front of the last two, and so have `r` and `c`."""
    dtype, (N, M) = param.dtype, param.shape[-2:]
    w, g = param.reshape(-1, N, M), grad.reshape(-1, N, M)
    of_rows, of_columns = sums_of_squares(g, epsilon_1)
    r += (of_rows.reshape(r.shape) / M - r) * (1 - beta)
    c += (of_columns.reshape(c.shape) / N - c) * (1 - beta)
    # u = g / sqrt(v)
    for_rows = 1 / np.sqrt(r / r.mean(axis=-1, keepdims=True)).reshape(-1, N)
    for_columns = 1 / np.sqrt(c).reshape(-1, M)
    sizes = np.empty((2, len(w), N), dtype)  # the squares of g / sqrt(c) and of w, summed over each row
    by_rows(_squares_of_rows, len(w) * N, 2 * w.size, g, w, for_columns, sizes)
    of_u, of_w = (sizes[0] * np.square(for_rows)).mean() / M, sizes[1].mean() / M
    clipped = max(1, np.sqrt(of_u) / clip_threshold)
    for_rows *= dtype.type(max(epsilon_2, np.sqrt(of_w)) * rho / clipped)
    by_rows(_subtract, len(w) * N, 2 * w.size, w, g, for_rows, for_columns)


@njit
def _squares_of_rows(first, stop, g, w, for_columns, sizes):
    N, M = g.shape[1:]
    zero = g.dtype.type(0)
    for place in range(first, stop):
        k, n = place // N, place % N
        g_n, w_n, scale, of_u, of_w = g[k, n], w[k, n], for_columns[k], zero, zero
        for m in range(M):
            u = g_n[m] * scale[m]
            of_u += u * u
            of_w += w_n[m] * w_n[m]
        sizes[0, k, n], sizes[1, k, n] = of_u, of_w


@njit
def _subtract(first, stop, w, g, for_rows, for_columns):
    N, M = g.shape[1:]
    for place in range(first, stop):
        k, n = place // N, place % N
        g_n, w_n, scale, of_row = g[k, n], w[k, n], for_columns[k], for_rows[k, n]
        for m in range(M):
            w_n[m] -= g_n[m] * scale[m] * of_row
