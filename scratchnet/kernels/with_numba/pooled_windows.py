"""A convolution, relu and max pooling of 2 x 2 in one pass, forward and back, where somebody will go back.

Of each square of four outputs one number is kept, and one byte: which of the four it was, from 1, or 0 where relu shut.
That is all that the adjoint needs. It goes on from there to the gradients of the kernel and the bias, in tiles of
`pooled_tile`: neither z nor dz is ever in memory, whose way there and back took longer than what is computed with them.

Cost: 2 M KH KW C F floating-point operations for M windows, forward and back.
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit
from scratchnet.kernels.with_numba.pooled_tile import SQUARE, make_pooled_tile
from scratchnet.kernels.with_numba.tile import TALLEST, VECTOR_BYTES
from scratchnet.kernels.with_numba.window_tile import make_window_tile
from scratchnet.kernels.with_numba.windows import _in_frames, _matrix

_CACHE = 256 * 1024  # bytes to work on at a time
_SQUARES = 24  # of windows that meet a panel of the kernel, one of two vectors' width

_square_2, _square_1 = (make_window_tile(SQUARE, vectors, SQUARE, tells_places=True) for vectors in (2, 1))

# Elements of the kernel whose sums stay in registers: those of a kernel of 3 x 3 for a channel, or half of them.
_ROWS = 9 if TALLEST == 8 else 5
_sums_2, _sums_1 = (make_pooled_tile(_ROWS, vectors) for vectors in (2, 1))


def fills_vectors(filters, itemsize):
    """Whether so many filters do: of others no tile is made."""
    return filters * itemsize % VECTOR_BYTES == 0


def forward(x, kernel, bias, geometry, padding, window_counts):
    """``y, places``: (N, OH // 2, OW // 2, F) each."""
    images, frames, starts, lines = _view(x, kernel.shape, geometry, padding, window_counts)
    if geometry[5] > 1:  # pixels apart
        lines = lines.reshape(-1, x.shape[3])
    runs, length = lines[:, 0].copy(), lines.shape[1]
    y = np.empty((len(x), *(count // 2 for count in window_counts), kernel.shape[3]), x.dtype)
    places = np.empty(y.shape, np.uint8)
    _convolve(x, frames, geometry[-2:], images, starts, runs, length, _matrix(kernel, bias), y, places)
    return y, places


def backward(dy, places, x, kernel_shape, geometry, padding, window_counts):
    """``dkernel, dbias``."""
    images, frames, starts, lines = _view(x, kernel_shape, geometry, padding, window_counts)
    count, F = lines.size, kernel_shape[3]
    steps = np.zeros(count + -count % _ROWS, np.intp)  # the last ones are read and thrown away
    steps[:count] = lines.reshape(-1)
    dweights, dbias = np.zeros((len(steps), F), x.dtype), np.zeros(F, x.dtype)
    _gradients(x, frames, geometry[-2:], images, starts, steps, dy, places, dweights, dbias)
    return dweights[:count].reshape(kernel_shape), dbias


def _view(x, kernel_shape, geometry, padding, window_counts):
    """How windows lie in the images of a piece: ``images, frames, starts, lines``.

    `starts`: where each begins, square by square. `lines` (KH, KW C): where its elements lie from there.
    """
    N, H, W, C = x.shape
    KH, KW, SH, SW, DH, DW, top, left = geometry
    OH, OW = window_counts
    FH, FW = H, W  # of a frame
    leaves = max(map(max, padding)) > 0
    if leaves:
        FH, FW, top, left = (OH - 1) * SH + (KH - 1) * DH + 1, (OW - 1) * SW + (KW - 1) * DW + 1, 0, 0
    images = max(min(_CACHE // max((FH * FW * C + OH * OW * kernel_shape[3] // 2) * x.itemsize, 1), N), 1)
    frames = np.zeros((images if leaves else 0, FH, FW, C), x.dtype)
    rows, columns = np.arange(OH // 2 * 2) * SH - top, np.arange(OW // 2 * 2) * SW - left
    starts = ((np.arange(images)[:, None, None] * FH + rows[:, None]) * FW + columns) * C
    starts = starts.reshape(images, OH // 2, 2, OW // 2, 2).transpose(0, 1, 3, 2, 4).reshape(-1)
    elements = np.arange(KW)[:, None] * DW * C + np.arange(C)
    return images, frames, starts, np.arange(KH)[:, None] * DH * FW * C + elements.reshape(-1)


@njit
def _convolve(x, frames, corner, images, starts, runs, length, weights, y, places):
    N, OH, OW, F = y.shape
    lanes, least = VECTOR_BYTES // y.itemsize, y.dtype.type(0)
    for n in range(0, N, images):
        pixels = _in_frames(x[n : n + images], frames, corner)
        rows, bytes_ = y[n : n + images].reshape(-1, F), places[n : n + images].reshape(-1, F)
        for start in range(0, len(rows), _SQUARES):
            stop = min(start + _SQUARES, len(rows))
            for f in range(0, F, 2 * lanes):
                if f + lanes < F:
                    for m in range(start, stop):
                        _square_2(pixels, starts, SQUARE * m, runs, length, weights, f, least, rows, m, f, bytes_)
                else:
                    for m in range(start, stop):
                        _square_1(pixels, starts, SQUARE * m, runs, length, weights, f, least, rows, m, f, bytes_)


@njit
def _gradients(x, frames, corner, images, starts, steps, dy, places, dweights, dbias):
    N, OH, OW, F = dy.shape
    width, zero = 2 * VECTOR_BYTES // dy.itemsize, dy.dtype.type(0)
    total = np.empty(F, dy.dtype)  # of a piece: a sum of a whole batch's would lose digits
    for n in range(0, N, images):
        pixels = _in_frames(x[n : n + images], frames, corner)
        rows, bytes_ = dy[n : n + images].reshape(-1, F), places[n : n + images].reshape(-1, F)
        for k in range(0, steps.size, _ROWS):
            for f in range(0, F, width):
                if f + width <= F:
                    _sums_2(pixels, starts, len(rows), steps, k, rows, bytes_, f, dweights)
                else:
                    _sums_1(pixels, starts, len(rows), steps, k, rows, bytes_, f, dweights)
        total[:] = 0
        for m in range(len(rows)):
            d, place = rows[m], bytes_[m]
            for f in range(F):
                total[f] += d[f] if place[f] != 0 else zero
        dbias += total
