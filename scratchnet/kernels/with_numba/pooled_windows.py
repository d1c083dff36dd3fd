"""A convolution, relu and max pooling of 2 x 2 in one pass, forward and back, where somebody will go back.

Of each square of four outputs one number is kept, and one byte: which of the four it was, from 1, or 0 where relu shut.
That is all that the adjoint needs. It goes on from there to the gradients of the kernel and the bias, in tiles of
`pooled_tile`: neither z nor dz is ever in memory, whose way there and back took longer than what is computed with them.
Filters that do not fill vectors are computed as if they did, and what is too many is not copied out of the cache.

Cost: 2 M KH KW C F floating-point operations for M windows, back a quarter of them, F rounded up to whole vectors.
"""

import functools
import math

import numpy as np

from scratchnet.kernels.with_numba.compile import njit
from scratchnet.kernels.with_numba.pooled_tile import SQUARE, make_pooled_tile
from scratchnet.kernels.with_numba.team import added, by_rows, sums_of
from scratchnet.kernels.with_numba.tile import TALLEST, VECTOR_BYTES
from scratchnet.kernels.with_numba.window_tile import make_window_tile
from scratchnet.kernels.with_numba.windows import copy_what_fits, frames_of, in_frames, panels_of, view

_SQUARES = 24  # of windows that meet a panel of the kernel, one of two vectors' width

_square_2, _square_1 = (make_window_tile(SQUARE, vectors, SQUARE, tells_places=True) for vectors in (2, 1))

# Elements of the kernel, and vectors of filters, whose sums stay in registers; with them those of the image, which the
# compiler loads before it multiplies.
_ROWS, _VECTORS = (9, 1) if TALLEST == 8 else (4, 2)
_sums = make_pooled_tile(_ROWS, _VECTORS)


def forward(x, kernel, bias, geometry, padding, window_counts):
    """``y, places``: (N, OH // 2, OW // 2, F) each."""
    seen = view(x.shape, x.itemsize, kernel.shape, geometry, padding, window_counts, True)
    y = np.empty((len(x), *(count // 2 for count in window_counts), kernel.shape[3]), x.dtype)
    places = np.empty(y.shape, np.uint8)
    F, work = kernel.shape[3], len(x) * math.prod(window_counts) * kernel.size
    known = x.reshape(-1), *seen, panels_of(kernel, bias)
    by_rows(_convolve, len(x), work, *known, y.reshape(-1, F), places.reshape(-1, F), multiple=1)
    return y, places


def backward(dy, places, x, kernel_shape, geometry, padding, window_counts):
    """``dkernel, dbias``."""
    F, count = kernel_shape[3], math.prod(kernel_shape[:3])
    seen = _view_back(x.shape, x.itemsize, kernel_shape, geometry, padding, window_counts)
    windows, filled = len(x) * math.prod(window_counts), F + -F % (_VECTORS * VECTOR_BYTES // x.itemsize)
    sums = sums_of(windows)
    dweights, dbias = np.empty((sums, count + -count % _ROWS, filled), x.dtype), np.empty((sums, F), x.dtype)
    known = x.reshape(-1), *seen, dy.reshape(-1, F), places.reshape(-1, F)
    by_rows(_gradients, sums, windows * count * F, *known, dweights, dbias, multiple=1)
    return added(dweights[:, :count, :F]).reshape(kernel_shape), added(dbias)


@functools.lru_cache(16)
def _view_back(*of):
    """The `View` of squares of windows, of which `_gradients` reads so many elements at a time as registers hold.

    In place of its steps: how far the next window of a square lies to the right, how far below, and steps as they are
    read, the last of which lead nowhere.
    """
    *seen, steps = view(*of, True)
    starts, count = seen[-1], steps.size
    right, below = (int(starts[k] - starts[0]) if starts.size else 0 for k in (1, 2))
    return *seen, right, below, np.concatenate([steps, np.zeros(-count % _ROWS, np.intp)])


@njit
def _convolve(first, stop, x, shape, frame, corner, images, starts, steps, panels, y, places):
    F, lanes, least = y.shape[1], VECTOR_BYTES // y.itemsize, y.dtype.type(0)
    frames = frames_of(min(stop - first, images), frame, x)
    rest, rest_bytes = np.empty((_SQUARES, 2 * lanes), y.dtype), np.empty((_SQUARES, 2 * lanes), np.uint8)
    for n in range(first, stop, images):
        last, squares = min(n + images, stop), len(y) // shape[0]
        pixels = in_frames(x, n, last, shape, frames, frame, corner)
        rows, bytes_ = y[n * squares : last * squares], places[n * squares : last * squares]
        for start in range(0, len(rows), _SQUARES):
            end = min(start + _SQUARES, len(rows))
            for p in range(len(panels)):
                weights, f = panels[p], p * panels.shape[2]
                fits = f + 2 * lanes <= F or f + lanes == F
                to, to_bytes, row, column = (rows, bytes_, start, f) if fits else (rest, rest_bytes, 0, 0)
                if f + lanes < F:
                    for m in range(start, end):
                        r = row + m - start
                        _square_2(pixels, starts, SQUARE * m, steps, weights, 0, least, to, r, column, to_bytes)
                else:
                    for m in range(start, end):
                        r = row + m - start
                        _square_1(pixels, starts, SQUARE * m, steps, weights, 0, least, to, r, column, to_bytes)
                if not fits:
                    copy_what_fits(rest, rows[start:end, f:])
                    copy_what_fits(rest_bytes, bytes_[start:end, f:])


@njit
def _gradients(first, stop, x, shape, frame, corner, images, starts, right, below, steps, dy, places, dweights, dbias):
    (squares, F), (N, H, W) = dy.shape, shape
    filled, width, zero = dweights.shape[2], _VECTORS * VECTOR_BYTES // dy.itemsize, dy.dtype.type(0)
    total = np.empty(F, dy.dtype)  # of a piece: a sum of a whole batch's would lose digits
    wide = np.empty((images * squares // max(N, 1) if filled > F else 0, filled), dy.dtype)
    wide_bytes = np.empty(wide.shape, np.uint8)
    frames = frames_of(images, frame, x)
    quads = np.empty(SQUARE * max(frames.size, images * H * W), x.dtype)
    for k in range(first, stop):
        stop_here = N * (k + 1) // len(dweights)
        dweights[k], dbias[k] = 0, 0
        for n in range(N * k // len(dweights), stop_here, images):
            end = min(n + images, stop_here)
            _fill(in_frames(x, n, end, shape, frames, frame, corner), right, below, quads)
            begin, end = n * squares // N, end * squares // N
            rows, bytes_ = dy[begin:end], places[begin:end]
            if filled > F:
                copy_what_fits(rows, wide[:, :F])
                copy_what_fits(bytes_, wide_bytes[:, :F])
            of, of_bytes = (wide, wide_bytes) if filled > F else (rows, bytes_)
            for r in range(0, steps.size, _ROWS):
                for f in range(0, filled, width):
                    _sums(quads, starts, len(rows), steps, r, of, of_bytes, f, dweights[k])
            total[:] = 0
            for m in range(len(rows)):
                d, place = rows[m], bytes_[m]
                for f in range(F):
                    total[f] += d[f] if place[f] != 0 else zero
            for f in range(F):  # written as a sum of arrays it takes the compiler two seconds
                dbias[k, f] += total[f]


@njit(inner=True)
def _fill(pixels, right, below, quads):
    """What a number of the image is to the first window of a square, others are to the rest: these, the last first."""
    size = pixels.size - right - below
    second, third, last = pixels[right:], pixels[below:], pixels[right + below :]
    for k in range(size):
        quads[4 * k], quads[4 * k + 1], quads[4 * k + 2], quads[4 * k + 3] = last[k], pixels[k], second[k], third[k]
