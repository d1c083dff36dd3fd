"""Two matrices one behind the other, compiled: some rows at a time, from x to y, and back.

    h = relu(x W + b), or without relu        y = h W_o + b_o

h is the widest array of a Transformer's block. Here it is written once, for the way back; dh never leaves the cache.
How y may end: `ending`.
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.elementwise import add, add_columns
from scratchnet.kernels.with_numba.ending import ROWS, begin_back, finish, made
from scratchnet.kernels.with_numba.matrix_product import add_matmul_by, matmul_into_by, multiplier
from scratchnet.kernels.with_numba.team import added, by_rows, sums_of


def feed_forward_forward(x, W, b, W_o, b_o, relu, ending):
    """``y, kept`` for x (M, C), W (C, U) and W_o (U, F)."""
    x = plain(x)
    M = len(x)
    h = np.empty((M, W.shape[1]), x.dtype)
    ending, (z, y, *moments) = made(M, W_o.shape[1], ending, x.dtype)
    weights = plain(W), plain(b), plain(W_o), plain(b_o)
    work = M * (W.size + W_o.size)
    by_rows(_forward, M, work, multiplier(x.dtype), x, *weights, bool(relu), *ending, h, z, y, *moments)
    return y, (h, z, *moments)


def feed_forward_backward(dy, x, kept, W, W_o, relu, ending, needs_dx=True):
    """``dx, dW, db, dW_o, db_o, dgamma, dbeta``"""
    dy, x = plain(dy), plain(x)
    M = len(x)
    (adds, gamma, *_), _ = made(0, 0, ending, x.dtype)
    dx, sums = np.empty((M if needs_dx else 0, x.shape[1]), x.dtype), sums_of(M)
    shapes = W.shape, W.shape[1:], W_o.shape, W_o.shape[1:], gamma.shape, gamma.shape
    found = [np.empty((sums, *shape), x.dtype) for shape in shapes]
    arrays = dy, x, *kept, plain(W.T), plain(W_o.T), bool(relu), adds, gamma, dx
    work = 2 * M * (W.size + W_o.size)
    by_rows(_backward, sums, work, multiplier(x.dtype), *arrays, *found, multiple=1)
    return dx if needs_dx else None, *map(added, found)


@njit
def _forward(first, stop, times, x, W, b, W_o, b_o, relu, adds, gamma, beta, epsilon, h, z, y, means, stds):
    least = x.dtype.type(0 if relu else -np.inf)
    for m in range(first, stop, ROWS):
        last = min(m + ROWS, stop)
        matmul_into_by(times, x[m:last], W, h[m:last])
        for n in range(m, last):
            h_n = h[n]
            for u in range(b.size):
                h_n[u] = max(h_n[u] + b[u], least)
        matmul_into_by(times, h[m:last], W_o, y[m:last])
        finish(m, last, b_o, x, adds, gamma, beta, epsilon, z, y, means, stds)


@njit
def _backward(
    first, stop, times, dy, x, h, z, means, stds, W_T, Wo_T, relu, adds, gamma,
    dx, dW, db, dW_o, db_o, dgamma, dbeta,
):  # fmt: skip
    """The sums over all rows are `len(dW)` sums, each over a part of them."""
    N, zero = len(x), x.dtype.type(0)
    dh, dz = np.empty((ROWS, h.shape[1]), x.dtype), np.empty((ROWS, dy.shape[1]), x.dtype)
    moments = np.empty((len(dz), 2), x.dtype)
    for part in range(first, stop):
        dW[part], db[part], dW_o[part], db_o[part], dgamma[part], dbeta[part] = 0, 0, 0, 0, 0, 0
        beyond = N * (part + 1) // len(dW)
        for m in range(N * part // len(dW), beyond, ROWS):
            last = min(m + ROWS, beyond)
            M = last - m
            begin_back(m, last, dy, gamma, z, means, stds, dz, db_o[part], dgamma[part], dbeta[part], moments)
            add_matmul_by(times, h[m:last].T, dz[:M], dW_o[part])  # F = h W_o
            matmul_into_by(times, dz[:M], Wo_T, dh[:M])
            if relu:
                for n in range(M):
                    dh_n, h_n = dh[n], h[m + n]
                    for u in range(dh_n.size):
                        dh_n[u] = dh_n[u] if h_n[u] > zero else zero
            add_matmul_by(times, x[m:last].T, dh[:M], dW[part])  # h = relu(x W + b)
            add_columns(dh[:M], db[part])
            if len(dx) > 0:
                matmul_into_by(times, dh[:M], W_T, dx[m:last])
                if adds:
                    add(dz[:M], dx[m:last])
