"""Pooling in two steps: of the columns of windows, and of what comes of these.

The largest number of a window is the largest one of its columns' largest, and the sum of a window is that of its
columns' sums:

    tall[q, :]  =  max over a < KH of  x[S i + a, q, :]          y[i, j, :]  =  max over b < KW of  tall[S j + b, :]

which are KH + KW - 2 operations for a number, and not KH KW - 1. The first step runs along a whole row of the image. So
does the second one where windows move by a pixel, and where pixels are too short for a loop of their own: then every
SW-th of them is copied beside the next such one, as in `scratchnet.kernels.with_numba.pooling`.

For the largest numbers it is done in use alone: of two equal ones it is not known which was the first.
"""

import numpy as np

from scratchnet.kernels.geometry import window_counts
from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.team import by_rows

_FEW = 8  # channels that are not worth a loop of their own


def pooled(x, pool_size, strides, padding, largest):
    """The largest numbers of all windows, or their means."""
    C = x.shape[3]
    y = np.empty((x.shape[0], *window_counts(x.shape[1:3], pool_size, strides, padding), C), x.dtype)
    by_row = strides[1] == 1 or C < _FEW
    known = plain(x), windows_of(pool_size, strides, padding), by_row, largest
    by_rows(_pool, len(x), _work(x, y, pool_size), *known, y, multiple=1)
    return y


def means_backward(dy, x_shape, pool_size, strides, padding):
    """The adjoint of `pooled`, for means."""
    dx = np.empty(x_shape, dy.dtype)
    known = windows_of(pool_size, strides, padding), plain(dy)
    by_rows(_means_backward, len(dx), _work(dx, dy, pool_size), dx, *known, multiple=1)
    return dx


def windows_of(pool_size, strides, padding):
    """``(KH, KW, SH, SW, top, left)``"""
    return (*pool_size, *strides, padding[0][0], padding[1][0])


def _work(x, y, pool_size):
    return 2 * max(x.size, y.size * sum(pool_size))


@njit
def _pool(first, stop, x, windows, by_row, largest, y):
    KH, KW, SH, SW, top, left = windows
    _, H, W, C = x.shape
    _, OH, OW, _ = y.shape
    image, rows, length = x.reshape(-1), y.reshape(-1, OW * C), W * C
    width = OW + (KW - 1) // SW  # pixels that windows see at one of their places, and those at which they begin
    outside = -np.inf if largest else 0.0
    pixels = np.full((max(left + W, SW * width), C), outside, x.dtype)  # `tall`, and around it the padding
    numbers = pixels.reshape(-1)
    tall, sets = numbers[left * C : left * C + length], np.empty((SW, width, C), x.dtype)
    room = np.empty((3, max(W, OW) * C), x.dtype)
    counts = _columns_inside(windows, x, OW)
    sums = room[2, : OW * C]  # what is divided is written elsewhere: in one place it would go number by number
    for n in range(first, stop):
        for i in range(OH):
            above, below = max(i * SH - top, 0), min(i * SH - top + KH, H)
            row = rows[n * OH + i] if largest else sums
            _merge(image[(n * H + above) * length :], 1, 0, length, below - above, largest, room, tall)
            if not by_row:
                _merge_pixels(pixels, SW, KW, largest, room, row.reshape(OW, C))
            elif SW == 1:
                _merge(numbers, 1, 0, C, KW, largest, room, row)
            else:
                for s in range(SW):
                    for j in range(width):
                        copy_run(pixels[j * SW + s], sets[s, j])
                _merge(sets.reshape(-1), SW, width, C, KW, largest, room, row)
            if not largest:
                _divide(sums, counts, below - above, rows[n * OH + i])


@njit
def _means_backward(first, stop, dx, windows, dy):
    KH, KW, SH, SW, top, left = windows
    _, H, W, C = dx.shape
    _, OH, OW, _ = dy.shape
    rows, dys, length = dx.reshape(-1, W * C), dy.reshape(-1, OW * C), W * C
    shares = np.zeros((max(left + W, OW) + 2 * KW, C), dx.dtype)  # of the columns of a row of windows, between zeros
    share, first_seen = shares.reshape(-1)[(KW - 1) * C : (KW - 1 + OW) * C], shares.reshape(-1)[left * C :]
    pixels, room = np.empty((max(left + W, (OW - 1) * SW + KW), C), dx.dtype), np.empty((2, length), dx.dtype)
    tall, counts = pixels.reshape(-1)[left * C : left * C + length], _columns_inside(windows, dx, OW)
    for n in range(first, stop):
        dx[n] = 0
        for i in range(OH):
            above, below = max(i * SH - top, 0), min(i * SH - top + KH, H)
            _divide(dys[n * OH + i], counts, below - above, share)
            if SW == 1:  # at each pixel, the sum of those KW windows that begin there and before
                _merge(first_seen, 1, 0, C, KW, False, room, tall)
            else:
                pixels[:] = 0
                for j in range(OW):
                    for b in range(KW):
                        _add(shares[KW - 1 + j], pixels[j * SW + b])
            for p in range(above, below):
                _add(tall, rows[n * H + p])


@njit(inner=True)
def _columns_inside(windows, x, OW):
    """For each number of a row of windows, how many columns of its window are inside the images x."""
    _, KW, _, SW, _, left = windows
    counts = np.empty((OW, x.shape[3]), x.dtype)
    for j in range(OW):
        counts[j] = min(j * SW - left + KW, x.shape[2]) - max(j * SW - left, 0)
    return counts.reshape(-1)


@njit(inner=True)
def _merge(runs, sets, width, step, count, largest, room, target):
    """Of `count` runs of memory, which begin `step` numbers behind one another, the largest numbers, or the sums.

    Or, of several sets of so many steps, in the first ones of all sets, then in the second ones, and so on.
    """
    so_far = runs
    if count == 1:
        copy_run(runs, target)
    for k in range(1, count, 2):
        found = target if k + 2 >= count else room[k // 2 % 2, : target.size]
        one = runs[(k % sets * width + k // sets) * step :]
        if k + 1 < count:
            _three(so_far, one, runs[((k + 1) % sets * width + (k + 1) // sets) * step :], largest, found)
        else:
            _two(so_far, one, largest, found)
        so_far = found


@njit(inner=True)
def _merge_pixels(pixels, step, count, largest, room, y):
    for j in range(len(y)):
        start = j * step
        if count == 2:
            _two(pixels[start], pixels[start + 1], largest, y[j])
        elif count == 3:
            _three(pixels[start], pixels[start + 1], pixels[start + 2], largest, y[j])
        else:
            _merge(pixels[start:].reshape(-1), 1, 0, y.shape[1], count, largest, room, y[j])


@njit(inline="always")
def _two(a, b, largest, target):
    if largest:
        for k in range(target.size):
            target[k] = _larger(a[k], b[k])
    else:
        for k in range(target.size):
            target[k] = a[k] + b[k]


@njit(inline="always")
def _three(a, b, c, largest, target):
    if largest:
        for k in range(target.size):
            target[k] = _larger(_larger(a[k], b[k]), c[k])
    else:
        for k in range(target.size):
            target[k] = (a[k] + b[k]) + c[k]


@njit(inline="always")
def _larger(a, b):
    """NaN, if one is."""
    larger = a if a > b else b  # b, if one is NaN
    return larger if a == a else a


@njit(inner=True)
def copy_run(source, target):
    """As many numbers as both have."""
    for k in range(min(source.size, target.size)):
        target[k] = source[k]


@njit(inner=True)
def _add(source, target):
    for k in range(target.size):
        target[k] += source[k]


@njit(inner=True)
def _divide(numbers, counts, times, target):
    """Divide by as many elements as windows have: columns times rows."""
    rows = numbers.dtype.type(times)
    for k in range(target.size):
        target[k] = numbers[k] / (counts[k] * rows)
