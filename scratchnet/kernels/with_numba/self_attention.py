"""Attention of a sequence to itself, compiled: some samples at a time, from their x to their y, and back.

    [q k v] = x W + b        seen = the heads' P v, side by side        y = seen W_o + b_o

In a short sequence with few features, all that belongs to some samples fits the cache, together with all weights. Layer
by layer, arrays of all samples would go to memory and come back, one after the other. Here q, k, v, P and `seen` are
written once, for the way back; their adjoints never leave the cache. W has the columns of W_q, W_k and W_v, one behind
the other, so that one product does for three, and dx needs no sum. How y may end: `ending`.
"""

import math

import numpy as np

from scratchnet.kernels.with_numba.attention import fetch, head_alone, head_backward, head_forward, queries_at_a_time
from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.elementwise import add, add_columns
from scratchnet.kernels.with_numba.ending import ROWS, add_to_each, begin_back, finish, made
from scratchnet.kernels.with_numba.matrix_product import add_matmul_by, matmul_into_by, multiplier
from scratchnet.kernels.with_numba.team import added, by_rows, sums_of


def self_attention_forward(x, W, b, W_o, b_o, heads, D, ending, keeps=True):
    """``y, kept`` for x (N, T, C), W (C, heads (2 D + E)), W_o (heads E, F); rows of D and of E fill vectors.

    Without `keeps` kept is None.
    """
    x = plain(x)
    N, T, C = x.shape
    columns = queries_at_a_time(T, 0 if keeps else T, x)
    PT = np.empty((N if keeps else 0, heads, T, columns), x.dtype)
    qkv, seen = np.empty((N * T, W.shape[1]), x.dtype), np.empty((N * T, len(W_o)), x.dtype)
    ending, (z, y, *moments) = made(N * T, W_o.shape[1], ending, x.dtype)
    weights = plain(W), plain(b), plain(W_o), plain(b_o)
    arrays = *_sizes(x, heads, D), *ending, qkv, PT, seen, z, y, *moments
    by_rows(_forward, N, N * T * (W.size + W_o.size), multiplier(x.dtype), x.reshape(-1, C), *weights, *arrays)
    return y.reshape(N, T, -1), (qkv, PT, seen, z, *moments) if keeps else None


def self_attention_backward(dy, x, kept, W, W_o, heads, D, ending, needs_dx=True):
    """``dx, dW, db, dW_o, db_o, dgamma, dbeta``"""
    dy, x = plain(dy), plain(x)
    N, T, C = x.shape
    (adds, gamma, *_), _ = made(0, 0, ending, x.dtype)
    dx, sums = np.empty((N * T if needs_dx else 0, C), x.dtype), sums_of(N * T)
    shapes = W.shape, W.shape[1:], W_o.shape, W_o.shape[1:], gamma.shape, gamma.shape
    found = [np.empty((sums, *shape), x.dtype) for shape in shapes]
    arrays = dy.reshape(N * T, -1), x.reshape(-1, C), *kept, plain(W.T), plain(W_o.T), *_sizes(x, heads, D)
    work = 2 * N * T * (W.size + W_o.size)
    by_rows(_backward, sums, work, multiplier(x.dtype), *arrays, adds, gamma, dx, *found, multiple=1)
    return dx.reshape(x.shape) if needs_dx else None, *map(added, found)


def _sizes(x, heads, D):
    """How many heads there are, of which size, their scale, and how many samples to take at a time."""
    return heads, D, x.dtype.type(1 / math.sqrt(D)), max(1, ROWS // max(1, x.shape[1]))


@njit
def _forward(
    first, stop, times, x, W, b, W_o, b_o, heads, D, scale, samples, adds, gamma, beta, epsilon,
    qkv, PT, seen, z, y, means, stds,
):  # fmt: skip
    T, HD, E = PT.shape[2], heads * D, len(W_o) // heads
    qT, room = np.zeros((D, PT.shape[3]), x.dtype), np.empty(PT.shape[3], x.dtype)
    P_T = np.empty((T if len(PT) == 0 else 0, PT.shape[3]), x.dtype)
    for start in range(first, stop, samples):
        end = min(start + samples, stop)
        m, last = start * T, end * T
        matmul_into_by(times, x[m:last], W, qkv[m:last])
        add_to_each(qkv[m:last], b)
        for n in range(start, end):
            of_sample, seen_n = qkv[n * T : n * T + T], seen[n * T : n * T + T]
            for h in range(heads):
                q, k = of_sample[:, h * D : h * D + D], of_sample[:, HD + h * D : HD + h * D + D]
                v = of_sample[:, 2 * HD + h * E : 2 * HD + h * E + E]
                seen_h = seen_n[:, h * E : h * E + E]
                if len(PT) > 0:
                    head_forward(q, k, v, scale, qT, room, PT[n, h], seen_h)
                else:
                    head_alone(q, k, v, scale, qT, room, P_T, seen_h)
        matmul_into_by(times, seen[m:last], W_o, y[m:last])
        finish(m, last, b_o, x, adds, gamma, beta, epsilon, z, y, means, stds)


@njit
def _backward(
    first, stop, times, dy, x, qkv, PT, seen, z, means, stds, W_T, Wo_T, heads, D, scale, samples, adds, gamma,
    dx, dW, db, dW_o, db_o, dgamma, dbeta,
):  # fmt: skip
    """The sums over all samples are `len(dW)` sums, each over a part of them."""
    N, T, HD, E, of_dtype = len(PT), PT.shape[2], heads * D, seen.shape[1] // heads, x.dtype
    dyT, dAT, room = (
        np.zeros((E, PT.shape[3]), of_dtype),
        np.empty(PT.shape[2:], of_dtype),
        np.empty(PT.shape[3], of_dtype),
    )
    qkv_n, dqkv = np.empty((T, qkv.shape[1]), of_dtype), np.empty((samples * T, qkv.shape[1]), of_dtype)
    dseen, dz = np.empty((samples * T, heads * E), of_dtype), np.empty((samples * T, dy.shape[1]), of_dtype)
    moments = np.empty((len(dz), 2), x.dtype)
    for part in range(first, stop):
        dW[part], db[part], dW_o[part], db_o[part], dgamma[part], dbeta[part] = 0, 0, 0, 0, 0, 0
        beyond = N * (part + 1) // len(dW)
        for start in range(N * part // len(dW), beyond, samples):
            end = min(start + samples, beyond)
            m, last = start * T, end * T
            M = last - m
            begin_back(m, last, dy, gamma, z, means, stds, dz, db_o[part], dgamma[part], dbeta[part], moments)
            add_matmul_by(times, seen[m:last].T, dz[:M], dW_o[part])  # F = seen W_o
            matmul_into_by(times, dz[:M], Wo_T, dseen[:M])
            for n in range(start, end):
                fetch(qkv[n * T : n * T + T], qkv_n)
                dqkv_n, dseen_n = dqkv[n * T - m : n * T - m + T], dseen[n * T - m : n * T - m + T]
                for h in range(heads):
                    q, k = slice(h * D, h * D + D), slice(HD + h * D, HD + h * D + D)
                    v, e = slice(2 * HD + h * E, 2 * HD + h * E + E), slice(h * E, h * E + E)
                    of_head = dseen_n[:, e], qkv_n[:, q], qkv_n[:, k], qkv_n[:, v], PT[n, h], scale
                    head_backward(*of_head, dyT, dAT, room, dqkv_n[:, q], dqkv_n[:, k], dqkv_n[:, v], False)
            add_matmul_by(times, x[m:last].T, dqkv[:M], dW[part])  # [q k v] = x W + b
            add_columns(dqkv[:M], db[part])
            if len(dx) > 0:
                matmul_into_by(times, dqkv[:M], W_T, dx[m:last])
                if adds:
                    add(dz[:M], dx[m:last])
