"""Pooling with the channels in the innermost loop.

Neighbouring channels lie side by side in memory and do not depend on each other, so one vector instruction compares 8
or 16 of them. The place of the maximum takes one byte where the window has at most 256 elements: it is written and
read once per output, and memory sets the pace.

The most common windows, 2 x 2 and side by side, have max-pooling kernels of their own that are three to five times as
fast: each of the four elements has a name, so the maximum so far stays in a register instead of going through `y`.

With a single channel, neighbours in memory are neighbours in the image. NumPy's kernels, which take the same place of
all windows at a time, are faster there.

The kernels clear the gradients themselves: `np.zeros` holds the interpreter lock, and other threads would wait.
"""

import numpy as np

from scratchnet.kernels.geometry import window_counts
from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numpy import pooling as with_numpy


def max_pool2d_forward(x, pool_size, strides, padding):
    if x.shape[3] == 1:
        return with_numpy.max_pool2d_forward(x, pool_size, strides, padding)
    y = np.empty((x.shape[0], *window_counts(x.shape[1:3], pool_size, strides, padding), x.shape[3]), x.dtype)
    argmax = np.empty(y.shape, np.uint8 if pool_size[0] * pool_size[1] <= 256 else np.int32)
    if _is_2x2(pool_size, strides, padding):
        _max_forward_2x2(plain(x), y, argmax)
    else:
        _max_forward(plain(x), *pool_size, *strides, padding[0][0], padding[1][0], y, argmax)
    return y, argmax


def max_pool2d_backward(dy, argmax, x_shape, pool_size, strides, padding):
    if x_shape[3] == 1:
        return with_numpy.max_pool2d_backward(dy, argmax, x_shape, pool_size, strides, padding)
    dx = np.empty(x_shape, dy.dtype)
    if _is_2x2(pool_size, strides, padding):
        _max_backward_2x2(plain(dy), plain(argmax), dx)
    else:
        _max_backward(plain(dy), plain(argmax), *pool_size, *strides, padding[0][0], padding[1][0], dx)
    return dx


def average_pool2d_forward(x, pool_size, strides, padding):
    if x.shape[3] == 1:
        return with_numpy.average_pool2d_forward(x, pool_size, strides, padding)
    y = np.empty((x.shape[0], *window_counts(x.shape[1:3], pool_size, strides, padding), x.shape[3]), x.dtype)
    _average_forward(plain(x), *pool_size, *strides, padding[0][0], padding[1][0], y)
    return y


def average_pool2d_backward(dy, x_shape, pool_size, strides, padding):
    if x_shape[3] == 1:
        return with_numpy.average_pool2d_backward(dy, x_shape, pool_size, strides, padding)
    dx = np.empty(x_shape, dy.dtype)
    _average_backward(plain(dy), *pool_size, *strides, padding[0][0], padding[1][0], dx)
    return dx


def _is_2x2(pool_size, strides, padding):
    """Whether the windows are of 2 x 2, side by side and inside the image."""
    return tuple(pool_size) == tuple(strides) == (2, 2) and not any(map(any, padding))


@njit
def _max_forward_2x2(x, y, argmax):
    N, OH, OW, C = y.shape
    for n in range(N):
        for i in range(OH):
            for j in range(OW):
                for c in range(C):
                    best, place = x[n, 2 * i, 2 * j, c], np.uint8(0)
                    # Larger, or the first NaN: "not <=" is true for a NaN on either side.
                    value = x[n, 2 * i, 2 * j + 1, c]
                    wins = (not (value <= best)) & (best == best)
                    best, place = value if wins else best, np.uint8(1) if wins else place
                    value = x[n, 2 * i + 1, 2 * j, c]
                    wins = (not (value <= best)) & (best == best)
                    best, place = value if wins else best, np.uint8(2) if wins else place
                    value = x[n, 2 * i + 1, 2 * j + 1, c]
                    wins = (not (value <= best)) & (best == best)
                    y[n, i, j, c] = value if wins else best
                    argmax[n, i, j, c] = np.uint8(3) if wins else place


@njit
def _max_backward_2x2(dy, argmax, dx):
    N, OH, OW, C = dy.shape
    zero = dy.dtype.type(0)
    dx[:, 2 * OH :] = 0  # the last row and column of an odd image are in no window
    dx[:, :, 2 * OW :] = 0
    for n in range(N):
        for i in range(OH):
            for a in range(2):
                for j in range(OW):
                    for b in range(2):
                        place = np.uint8(2 * a + b)
                        for c in range(C):
                            dx[n, 2 * i + a, 2 * j + b, c] = dy[n, i, j, c] if argmax[n, i, j, c] == place else zero


@njit
def _max_forward(x, KH, KW, SH, SW, top, left, y, argmax):
    N, H, W, C = x.shape
    _, OH, OW, _ = y.shape
    for n in range(N):
        for i in range(OH):
            for j in range(OW):
                first = True
                for p in range(max(i * SH - top, 0), min(i * SH - top + KH, H)):
                    for q in range(max(j * SW - left, 0), min(j * SW - left + KW, W)):
                        place = (p - i * SH + top) * KW + (q - j * SW + left)
                        if first:
                            first = False
                            for c in range(C):
                                y[n, i, j, c] = x[n, p, q, c]
                                argmax[n, i, j, c] = place
                        else:
                            for c in range(C):
                                value, best = x[n, p, q, c], y[n, i, j, c]
                                # Larger, or the first NaN: "not <=" is true for a NaN on either side.
                                wins = (not (value <= best)) and best == best
                                y[n, i, j, c] = value if wins else best
                                argmax[n, i, j, c] = place if wins else argmax[n, i, j, c]


@njit
def _max_backward(dy, argmax, KH, KW, SH, SW, top, left, dx):
    N, H, W, C = dx.shape
    _, OH, OW, _ = dy.shape
    zero = dy.dtype.type(0)
    for n in range(N):
        dx[n] = 0
        for i in range(OH):
            for j in range(OW):
                for p in range(max(i * SH - top, 0), min(i * SH - top + KH, H)):
                    for q in range(max(j * SW - left, 0), min(j * SW - left + KW, W)):
                        place = (p - i * SH + top) * KW + (q - j * SW + left)
                        for c in range(C):
                            dx[n, p, q, c] += dy[n, i, j, c] if argmax[n, i, j, c] == place else zero


@njit
def _average_forward(x, KH, KW, SH, SW, top, left, y):
    N, H, W, C = x.shape
    _, OH, OW, _ = y.shape
    for n in range(N):
        for i in range(OH):
            for j in range(OW):
                rows = range(max(i * SH - top, 0), min(i * SH - top + KH, H))
                columns = range(max(j * SW - left, 0), min(j * SW - left + KW, W))
                count = x.dtype.type(len(rows) * len(columns))
                y[n, i, j] = 0
                for p in rows:
                    for q in columns:
                        for c in range(C):
                            y[n, i, j, c] += x[n, p, q, c]
                for c in range(C):
                    y[n, i, j, c] /= count


@njit
def _average_backward(dy, KH, KW, SH, SW, top, left, dx):
    N, H, W, C = dx.shape
    _, OH, OW, _ = dy.shape
    for n in range(N):
        dx[n] = 0
        for i in range(OH):
            for j in range(OW):
                rows = range(max(i * SH - top, 0), min(i * SH - top + KH, H))
                columns = range(max(j * SW - left, 0), min(j * SW - left + KW, W))
                count = dy.dtype.type(len(rows) * len(columns))
                for p in rows:
                    for q in columns:
                        for c in range(C):
                            dx[n, p, q, c] += dy[n, i, j, c] / count
