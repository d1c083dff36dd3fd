"""Convolution, compiled: windows are multiplied where they lie in the image, in tiles of `window_tile`.

    y[m] = max(window m * kernel + bias, least)       least: 0 for a relu, minus infinity for none
    dkernel[k] = sum over all windows m of  (element k of window m) * dz[m]

No patches are copied together, and no z is written that relu or pooling would then go over once more. So a convolution
of one channel with relu and max pooling takes as long as its multiply-adds. Where windows leave the image, a piece of
the batch is copied into frames of zeros first. The gradient of the kernel is the same product with other names: where
windows begin and how far from there their elements lie change places, and dz is what it is multiplied by.

Cost: 2 M KH KW C F floating-point operations for M windows.
"""

import functools
from typing import NamedTuple

import numpy as np

from scratchnet.kernels.with_numba.compile import njit
from scratchnet.kernels.with_numba.panels import in_panels
from scratchnet.kernels.with_numba.team import added, by_rows, sums_of
from scratchnet.kernels.with_numba.tile import TALLEST, VECTOR_BYTES
from scratchnet.kernels.with_numba.window_tile import make_window_tile

_CACHE = 256 * 1024  # bytes to work on at a time
_WINDOWS = 256  # that meet all elements of the gradient of a kernel at a time
_ROWS = 96  # windows that meet a panel of the kernel, one of two vectors' width: a multiple of all tiles' rows

_tall_2, _tile_4_2, _tile_1_2 = (make_window_tile(rows, vectors=2) for rows in (TALLEST, 4, 1))
_tall_1, _tile_4_1, _tile_1_1 = (make_window_tile(rows, vectors=1) for rows in (TALLEST, 4, 1))
_TALL_SQUARES = 8 if TALLEST == 8 else 4  # windows of 2 x 2 neighbours each
_tall_squares_2, _square_2 = (make_window_tile(rows, vectors=2, pool=4) for rows in (_TALL_SQUARES, 4))
_tall_squares_1, _square_1 = (make_window_tile(rows, vectors=1, pool=4) for rows in (_TALL_SQUARES, 4))


def forward(x, kernel, bias, geometry, padding, window_counts, relu, pools=False):
    """y (N, OH, OW, F), with `pools` the largest of each 2 x 2 of it."""
    OH, OW = window_counts
    seen = view(x.shape, x.itemsize, kernel.shape, geometry, padding, window_counts, pools)
    panels = panels_of(kernel, bias)
    y = np.empty((len(x), *((OH // 2, OW // 2) if pools else (OH, OW)), kernel.shape[3]), x.dtype)
    least, work = x.dtype.type(0 if relu else -np.inf), len(x) * OH * OW * kernel.size
    known = x.reshape(-1), *seen, panels, least, y.reshape(-1, y.shape[3])
    by_rows(_convolve_and_pool if pools else _convolve, len(x), work, *known, multiple=1)
    return y


def gains(C, F, itemsize):
    """Whether `kernel_gradient` is quicker than to copy the windows together for one large product.

    Of few channels a window is nearly all copies. Of more than a few filters the windows would be read many times.
    """
    lanes = VECTOR_BYTES // itemsize
    return lanes <= F <= 8 * lanes if C <= 16 else F in (2 * lanes, 4 * lanes) and C <= 64


def kernel_gradient(dz, x, kernel_shape, geometry, padding, window_counts):
    """``dkernel, dbias`` for dz (N, OH, OW, F)."""
    F = kernel_shape[3]
    seen = view(x.shape, x.itemsize, kernel_shape, geometry, padding, window_counts, False)
    rows, elements = dz.reshape(-1, F), seen.steps.size
    dweights = np.empty((sums_of(len(rows)), elements + 1, _filled(F, x.itemsize)), x.dtype)
    known = x.reshape(-1), *seen, rows, dweights
    by_rows(_kernel_gradient, len(dweights), len(rows) * elements * F, *known, multiple=1)
    dweights = added(dweights)[:, :F]
    return np.ascontiguousarray(dweights[:-1]).reshape(kernel_shape), np.ascontiguousarray(dweights[-1])


class View(NamedTuple):
    """How windows lie in the images of a piece of the batch, whose lines are rows of W C numbers."""

    shape: tuple  # (N, H, W C) of all images
    frame: tuple  # (FH, FW C): the size of what each image is copied into, if windows leave it, or (0, 0)
    corner: tuple  # (top, left C): where it lies in there
    images: int  # in a piece
    starts: np.ndarray  # where each window begins; with `pools` square by square
    steps: np.ndarray  # (KH KW C,): how far from there its elements lie


@functools.lru_cache(16)
def view(x_shape, itemsize, kernel_shape, geometry, padding, window_counts, pools):
    """The `View` of images of that shape."""
    N, H, W, C = x_shape
    KH, KW, SH, SW, DH, DW, top, left = geometry
    OH, OW = window_counts
    corner, FH, FW = (top, left * C), H, W  # of a frame
    leaves = max(map(max, padding)) > 0
    if leaves:
        FH, FW, top, left = (OH - 1) * SH + (KH - 1) * DH + 1, (OW - 1) * SW + (KW - 1) * DW + 1, 0, 0
    images = max(min(_CACHE // max((FH * FW * C + OH * OW * kernel_shape[3]) * itemsize, 1), N), 1)
    starts, steps = places((images, FH, FW, C), (KH, KW, SH, SW, DH, DW, top, left), (OH, OW), pools)
    return View((N, H, W * C), (FH, FW * C) if leaves else (0, 0), corner, images, starts, steps)


@functools.lru_cache(16)  # of one image they take as long as the convolution
def places(shape, geometry, window_counts, pools):
    """``starts, steps`` of `view` in frames of that `shape`: how many, height, width, channels."""
    images, FH, FW, C = shape
    KH, KW, SH, SW, DH, DW, top, left = geometry
    OH, OW = window_counts
    rows, columns = np.arange(OH) * SH - top, np.arange(OW) * SW - left
    starts = ((np.arange(images)[:, None, None] * FH + rows[:, None]) * FW + columns) * C  # (images, OH, OW)
    if pools:
        OH, OW = OH // 2, OW // 2
        starts = starts[:, : 2 * OH, : 2 * OW].reshape(images, OH, 2, OW, 2).transpose(0, 1, 3, 2, 4)
    elements = np.arange(KW)[:, None] * DW * C + np.arange(C)
    return starts.reshape(-1), (np.arange(KH)[:, None] * DH * FW * C + elements.reshape(-1)).reshape(-1)


def panels_of(kernel, bias):
    """The kernel as matrices (KH KW C + 1, two vectors' numbers, or one's): a row for each element, then the bias.

    Of many filters, the rows of a single matrix would lie so far apart that they fall into few places of the cache.
    """
    F = kernel.shape[3]
    width = min(2 * VECTOR_BYTES // kernel.itemsize, _filled(F, kernel.itemsize))
    return in_panels(kernel.reshape(-1, F), width, bias)


def _filled(F, itemsize):
    """So many columns, and more of them until vectors are filled."""
    return F + -F % (VECTOR_BYTES // itemsize)


@njit
def _convolve(first, stop, x, shape, frame, corner, images, starts, steps, panels, least, y):
    F, lanes = y.shape[1], VECTOR_BYTES // y.itemsize
    frames = frames_of(min(stop - first, images), frame, x)
    rest = np.empty((_ROWS, 2 * lanes), y.dtype)  # for columns that fill no vector
    for n in range(first, stop, images):
        last, windows = min(n + images, stop), len(y) // shape[0]
        pixels = in_frames(x, n, last, shape, frames, frame, corner)
        rows = y[n * windows : last * windows]
        for m in range(0, len(rows), _ROWS):
            end = min(m + _ROWS, len(rows))
            for p in range(len(panels)):
                f = p * panels.shape[2]
                two, fits = f + lanes < F, f + 2 * lanes <= F or f + lanes == F
                target, row, column = (rows, m, f) if fits else (rest, 0, 0)
                _column_of_tiles(pixels, starts, m, end, steps, panels[p], 0, two, least, target, row, column)
                if not fits:
                    copy_what_fits(rest, rows[m:end, f:])


@njit
def _convolve_and_pool(first, stop, x, shape, frame, corner, images, starts, steps, panels, least, y):
    """As `_convolve`; `starts` goes from square to square of windows."""
    F, lanes = y.shape[1], VECTOR_BYTES // y.itemsize
    frames = frames_of(min(stop - first, images), frame, x)
    rest = np.empty((_ROWS, 2 * lanes), y.dtype)
    for n in range(first, stop, images):
        last, windows = min(n + images, stop), len(y) // shape[0]
        pixels = in_frames(x, n, last, shape, frames, frame, corner)
        rows = y[n * windows : last * windows]
        for m in range(0, len(rows), _ROWS):
            end = min(m + _ROWS, len(rows))
            for p in range(len(panels)):
                f = p * panels.shape[2]
                two, fits = f + lanes < F, f + 2 * lanes <= F or f + lanes == F
                target, row, column = (rows, m, f) if fits else (rest, 0, 0)
                _column_of_squares(pixels, starts, m, end, steps, panels[p], 0, two, least, target, row, column)
                if not fits:
                    copy_what_fits(rest, rows[m:end, f:])


@njit
def _kernel_gradient(first, stop, x, shape, frame, corner, images, starts, steps, dz, dweights):
    """``dweights[k]``, the last row of which is dbias, for each k: the sum over some of the images."""
    N, F, K, lanes = shape[0], dz.shape[1], steps.size, VECTOR_BYTES // dz.itemsize
    windows = len(dz) // max(N, 1)
    some = np.zeros((_WINDOWS + 1, dweights.shape[2]), dz.dtype)  # rows of dz, and the zeros of a bias
    dbias, products = np.empty(some.shape[1], dz.dtype), np.empty((_ROWS, 2 * lanes), dz.dtype)
    frames = frames_of(images, frame, x)
    for k in range(first, stop):
        dweights[k] = 0
        end = N * (k + 1) // len(dweights)
        for n in range(N * k // len(dweights), end, images):
            last = min(n + images, end)
            pixels = in_frames(x, n, last, shape, frames, frame, corner)
            for m in range(0, (last - n) * windows, _WINDOWS):
                count = min(_WINDOWS, (last - n) * windows - m)
                dbias[:] = 0
                for w in range(count):
                    source, target = dz[n * windows + m + w], some[w]
                    for f in range(F):
                        target[f] = source[f]
                        dbias[f] += source[f]
                dweights[k, K] += dbias
                some[count] = 0
                _add_products(pixels, starts[m : m + count], steps, some[: count + 1], products, dweights[k])


@njit(inner=True)
def _add_products(x, starts, steps, dz, products, dweights):
    """Add to the rows of `dweights` what element after element of the windows is, times dz."""
    width, least = products.shape[1], dz.dtype.type(-np.inf)
    for f in range(0, dz.shape[1], width):
        two = f + width <= dz.shape[1]
        for row in range(0, steps.size, _ROWS):
            stop = min(row + _ROWS, steps.size)
            _column_of_tiles(x, steps, row, stop, starts, dz, f, two, least, products, 0, 0)
            for r in range(row, stop):
                product, total = products[r - row], dweights[r, f : f + width]
                for c in range(total.size):
                    total[c] += product[c]


@njit(inner=True)
def frames_of(count, frame, x):
    """Room for so many images of x in frames of such a size, all in a row; nothing for (0, 0)."""
    return np.zeros(count * frame[0] * frame[1], x.dtype)


@njit(inner=True)
def in_frames(x, first, stop, shape, frames, frame, corner):
    """The numbers of the images from first to stop, one after the other; if there are frames, amid zeros, or cut."""
    (_, H, W), (FH, FW), (top, left) = shape, frame, corner
    if frames.size == 0:
        return x[first * H * W : stop * H * W]
    for n in range(first, stop):
        for p in range(max(-top, 0), min(FH - top, H)):
            begin, line = (n * H + p) * W, ((n - first) * FH + p + top) * FW
            source, target = x[begin + max(-left, 0) : begin + W], frames[line + max(left, 0) : line + FW]
            for k in range(min(target.size, source.size)):
                target[k] = source[k]
    return frames


@njit(inner=True)
def copy_what_fits(source, target):
    """As much of the source as both have room for."""
    for m in range(min(len(source), len(target))):
        row, to = source[m], target[m]
        for f in range(min(row.size, to.size)):
            to[f] = row[f]


@njit(inner=True)
def _column_of_tiles(x, starts, m, stop, steps, weights, f, two, least, y, row, column):
    """``y[row : row + stop - m, column : column + width]`` of the windows from m to stop."""
    while m < stop:
        if stop - m >= TALLEST:
            if two:
                _tall_2(x, starts, m, steps, weights, f, least, y, row, column)
            else:
                _tall_1(x, starts, m, steps, weights, f, least, y, row, column)
            done = TALLEST
        elif stop - m >= 4:
            if two:
                _tile_4_2(x, starts, m, steps, weights, f, least, y, row, column)
            else:
                _tile_4_1(x, starts, m, steps, weights, f, least, y, row, column)
            done = 4
        else:
            if two:
                _tile_1_2(x, starts, m, steps, weights, f, least, y, row, column)
            else:
                _tile_1_1(x, starts, m, steps, weights, f, least, y, row, column)
            done = 1
        m += done
        row += done


@njit(inner=True)
def _column_of_squares(x, starts, m, stop, steps, weights, f, two, least, y, row, column):
    """The same of squares."""
    while m < stop:
        if 4 * (stop - m) >= _TALL_SQUARES:
            if two:
                _tall_squares_2(x, starts, 4 * m, steps, weights, f, least, y, row, column)
            else:
                _tall_squares_1(x, starts, 4 * m, steps, weights, f, least, y, row, column)
            done = _TALL_SQUARES // 4
        else:
            if two:
                _square_2(x, starts, 4 * m, steps, weights, f, least, y, row, column)
            else:
                _square_1(x, starts, 4 * m, steps, weights, f, least, y, row, column)
            done = 1
        m += done
        row += done
