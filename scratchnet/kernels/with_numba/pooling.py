"""Pooling with the channels in the innermost loop.

Neighbouring channels lie side by side in memory and do not depend on each other, so one vector instruction treats 8 or
16 of them. The place of the maximum takes one byte where the window has at most 256 elements: it is written and read
once per output, and memory sets the pace.

For the maximum, a loop runs along a whole row of the image, however few channels there are: what all windows of a row
see at one of their places is one run of memory, or is copied side by side first,

    of a row of outputs y[i, :, :], the places (a, b) of the windows look at    x[S i + a, b], x[S i + a, S + b], ...

The most common windows, 2 x 2 and side by side, have kernels of their own that are faster: each of the four elements
has a name, so the maximum, or the sum, so far stays in a register instead of going through memory. Other averages, and
maxima of which nobody asks for the place, are `pooling_by_columns`.

With a single channel, neighbours in memory are neighbours in the image. NumPy's kernels, which take the same place of
all windows at a time, are faster there where places are told.

The kernels clear the gradients themselves: `np.zeros` holds the interpreter lock, and other threads would wait. What is
added to an element of a gradient comes in the order of the windows.
"""

import numpy as np

from scratchnet.kernels.geometry import window_counts
from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.pooling_by_columns import copy_run, means_backward, pooled, windows_of
from scratchnet.kernels.with_numba.team import by_rows
from scratchnet.kernels.with_numba.tile import VECTOR_BYTES
from scratchnet.kernels.with_numpy import pooling as with_numpy

_WORK = 4  # multiply-adds that take as long as an element of a window


def max_pool2d_forward(x, pool_size, strides, padding):
    if x.shape[3] == 1:
        return with_numpy.max_pool2d_forward(x, pool_size, strides, padding)
    y = np.empty((x.shape[0], *window_counts(x.shape[1:3], pool_size, strides, padding), x.shape[3]), x.dtype)
    argmax = np.empty(y.shape, np.uint8 if pool_size[0] * pool_size[1] <= 256 else np.int32)
    if _is_2x2(pool_size, strides, padding) and _is_vectorised(x.shape[3]):
        _by_images(_max_forward_2x2, pool_size, plain(x), y, argmax)
    else:
        _by_images(_max_forward, pool_size, plain(x), y, argmax, windows_of(pool_size, strides, padding))
    return y, argmax


def max_pool2d_backward(dy, argmax, x_shape, pool_size, strides, padding):
    if x_shape[3] == 1:
        return with_numpy.max_pool2d_backward(dy, argmax, x_shape, pool_size, strides, padding)
    dx = np.empty(x_shape, dy.dtype)
    if _is_2x2(pool_size, strides, padding):
        _by_images(_max_backward_2x2, pool_size, dx, plain(dy), plain(argmax))
    else:
        kernel = _max_backward_side_by_side if strides[1] == 1 else _max_backward
        _by_images(kernel, pool_size, dx, plain(dy), plain(argmax), windows_of(pool_size, strides, padding))
    return dx


def max_pool2d(x, pool_size, strides, padding):
    """y of `max_pool2d_forward`, for a model in use."""
    if _is_2x2(pool_size, strides, padding) and _is_vectorised(x.shape[3]):
        return max_pool2d_forward(x, pool_size, strides, padding)[0]
    return pooled(x, pool_size, strides, padding, largest=True)


def average_pool2d_forward(x, pool_size, strides, padding):
    if not _is_2x2(pool_size, strides, padding):
        return pooled(x, pool_size, strides, padding, largest=False)
    y = np.empty((x.shape[0], *window_counts(x.shape[1:3], pool_size, strides, padding), x.shape[3]), x.dtype)
    _by_images(_average_forward_2x2, pool_size, plain(x), y)
    return y


def average_pool2d_backward(dy, x_shape, pool_size, strides, padding):
    if not _is_2x2(pool_size, strides, padding):
        return means_backward(dy, x_shape, pool_size, strides, padding)
    dx = np.empty(x_shape, dy.dtype)
    _by_images(_average_backward_2x2, pool_size, dx, plain(dy))
    return dx


def _is_2x2(pool_size, strides, padding):
    """Whether the windows are of 2 x 2, side by side and inside the image."""
    return tuple(pool_size) == tuple(strides) == (2, 2) and not any(map(any, padding))


def _is_vectorised(C):
    """Whether a loop over so many channels is quicker than one over a row.

    Without AVX-512, which has masks, such a loop takes eight or sixteen at a time, and compares the rest one by one.
    """
    return VECTOR_BYTES > 32 or C < 4 or (C > 8 and C % 8 == 0)


def _by_images(kernel, pool_size, x, y, *arguments):
    """By two threads where there is a team; of `x` and `y` one is what comes in, the other what goes out."""
    work = _WORK * max(x.size, y.size * pool_size[0] * pool_size[1])
    by_rows(kernel, len(x), work, x, y, *arguments, multiple=1)


@njit
def _max_forward_2x2(first, stop, x, y, argmax):
    _, OH, OW, C = y.shape
    for n in range(first, stop):
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
def _max_backward_2x2(first, stop, dx, dy, argmax):
    _, OH, OW, C = dy.shape
    zero = dy.dtype.type(0)
    _clear_rest(first, stop, dx, OH, OW)
    for n in range(first, stop):
        for i in range(OH):
            for a in range(2):
                for j in range(OW):
                    for b in range(2):
                        place = np.uint8(2 * a + b)
                        for c in range(C):
                            dx[n, 2 * i + a, 2 * j + b, c] = dy[n, i, j, c] if argmax[n, i, j, c] == place else zero


@njit(inner=True)
def _clear_rest(first, stop, dx, OH, OW):
    """The last row and column of an odd image are in no window of 2 x 2."""
    dx[first:stop, 2 * OH :] = 0
    dx[first:stop, :, 2 * OW :] = 0


@njit
def _max_forward(first, stop, x, y, argmax, windows):
    KH, KW, SH, SW, top, left = windows
    _, H, W, C = x.shape
    _, OH, OW, _ = y.shape
    rows, bests, places = x.reshape(-1, W * C), y.reshape(-1, OW * C), argmax.reshape(-1, OW * C)
    # Every SW-th column stands beside the next such one, so that what windows see in theirs is one run of memory.
    framed = np.full((SW, OW + (KW - 1) // SW, C), -np.inf, x.dtype)
    columns = framed.reshape(SW, -1)
    lines = np.empty((4, OW * C), x.dtype)  # row by row: Numba would not know of unpacked ones that they are contiguous
    best, place, larger, chosen = lines[0], lines[1], lines[2], lines[3]
    for n in range(first, stop):
        for i in range(OH):
            above = i * SH - top
            best[:] = -np.inf  # and until something is larger, the place is the first inside the image
            for j in range(OW):
                place[j * C : (j + 1) * C] = max(-above, 0) * KW + max(left - j * SW, 0)
            for p in range(max(above, 0), min(above + KH, H)):
                _frame(rows[n * H + p], left, SW, C, framed)
                for b in range(KW):
                    values, this = columns[b % SW, b // SW * C :], x.dtype.type((p - above) * KW + b)
                    _larger(values, this, best, place, larger, chosen)
                    best, place, larger, chosen = larger, chosen, best, place
            copy_run(best, bests[n * OH + i])
            copy_run(place, places[n * OH + i])


@njit(inner=True)
def _larger(values, this, best, place, larger, chosen):
    """The larger of `values` and `best`, and the place where it is: `this`, or as until now.

    Nothing is written where it was read: the compiler would write only what changes, one number after the other.
    """
    for k in range(best.size):
        value, so_far, of_it = values[k], best[k], place[k]
        wins = (not (value <= so_far)) & (so_far == so_far)  # larger, or the first NaN, as above
        larger[k] = value if wins else so_far
        chosen[k] = this if wins else of_it


@njit(inner=True)
def _frame(row, left, SW, C, framed):
    """Copy the columns of a row of an image, of which `left` are missing, to ``framed[q % SW, q // SW]``."""
    if SW == 1:
        copy_run(row[max(-left, 0) * C :], framed.reshape(-1)[max(left, 0) * C :])
        return
    for q in range(max(left, 0), min(row.size // C + left, framed.shape[0] * framed.shape[1])):
        source, target = row[(q - left) * C :], framed[q % SW, q // SW]
        for c in range(C):
            target[c] = source[c]


@njit
def _max_backward(first, stop, dx, dy, argmax, windows):
    KH, KW, SH, SW, top, left = windows
    _, H, W, C = dx.shape
    _, OH, OW, _ = dy.shape
    zero = dy.dtype.type(0)
    for n in range(first, stop):
        dx[n] = 0
        for i in range(OH):
            for j in range(OW):
                for p in range(max(i * SH - top, 0), min(i * SH - top + KH, H)):
                    for q in range(max(j * SW - left, 0), min(j * SW - left + KW, W)):
                        place = (p - i * SH + top) * KW + (q - j * SW + left)
                        for c in range(C):
                            dx[n, p, q, c] += dy[n, i, j, c] if argmax[n, i, j, c] == place else zero


@njit
def _max_backward_side_by_side(first, stop, dx, dy, argmax, windows):
    """With a horizontal stride of 1: a place of all windows of a row is one run of `dx`."""
    KH, KW, SH, _, top, left = windows
    _, H, W, C = dx.shape
    _, OH, OW, _ = dy.shape
    rows, dys, places = dx.reshape(-1, W * C), dy.reshape(-1, OW * C), argmax.reshape(-1, OW * C)
    zero = dy.dtype.type(0)
    for n in range(first, stop):
        dx[n] = 0
        for i in range(OH):
            above = i * SH - top
            for p in range(max(above, 0), min(above + KH, H)):
                for b in range(KW - 1, -1, -1):
                    place, q = argmax.dtype.type((p - above) * KW + b), b - left
                    start = max(-q, 0) * C
                    source, chosen = dys[n * OH + i, start:], places[n * OH + i, start:]
                    target = rows[n * H + p, q * C + start :]
                    for k in range(min(source.size, target.size)):
                        dy_k = source[k]
                        target[k] += dy_k if chosen[k] == place else zero


@njit
def _average_forward_2x2(first, stop, x, y):
    _, OH, OW, C = y.shape
    count = x.dtype.type(4)
    for n in range(first, stop):
        for i in range(OH):
            for j in range(OW):
                for c in range(C):
                    total = x[n, 2 * i, 2 * j, c] + x[n, 2 * i, 2 * j + 1, c]
                    total += x[n, 2 * i + 1, 2 * j, c] + x[n, 2 * i + 1, 2 * j + 1, c]
                    y[n, i, j, c] = total / count


@njit
def _average_backward_2x2(first, stop, dx, dy):
    _, OH, OW, C = dy.shape
    count = dy.dtype.type(4)
    _clear_rest(first, stop, dx, OH, OW)
    for n in range(first, stop):
        for i in range(OH):
            for a in range(2):
                for j in range(OW):
                    for b in range(2):
                        for c in range(C):
                            dx[n, 2 * i + a, 2 * j + b, c] = dy[n, i, j, c] / count
