"""Depthwise convolution, a group for each channel: the channels are the innermost loop, as in pooling.

A channel that has M filters is first repeated M times, so that channel and filter are one axis; the kernel is
(KH, KW, 1, C M). `scratchnet.kernels.loops.convolution` documents it, like every convolution.

Where the channels fill vectors, some images are copied into frames of zeros, which stay in the cache; there the windows
are multiplied in tiles of `channel_tile`. dx is the image that dz is, its pixels as far apart as the strides say, seen
through the flipped windows. Pixels a power of two apart, for which a cache has few places, are moved a little further.

With fewer channels a loop over them is over before it is quick. But with a stride of 1 the columns of a row of z meet
columns of x that lie side by side as well. So the loop goes over several columns with all their channels, some `_RUN`
numbers, and the weights of a window's place are laid out as often beforehand. With other strides each column would be
a loop of its own, as the only one of a sequence is: there, and where most of a vector would be full, zeros are put
behind the channels, so that they fill vectors.
"""

import functools
import math

import numpy as np

from scratchnet.kernels.geometry import mirrored, window_counts
from scratchnet.kernels.with_numba.affine import slopes
from scratchnet.kernels.with_numba.channel_tile import make_channel_sums, make_channel_tile
from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.elementwise import relu as limited
from scratchnet.kernels.with_numba.pooling_by_columns import copy_run
from scratchnet.kernels.with_numba.team import added, by_rows, sums_of
from scratchnet.kernels.with_numba.tile import TALLEST, VECTOR_BYTES
from scratchnet.kernels.with_numba.windows import places

_SHORT = 4 * VECTOR_BYTES  # bytes of columns side by side, of fewer a loop is over before it is quick
_RUN = 512  # numbers: of the nine places of a window, 18 KB of float32 weights, which stay in the nearest cache
_WORK = 2  # multiply-adds that a number of x takes as long as, since it meets one filter alone
_ELEMENTS = 9  # of the window, whose sums stay in registers
_NEAREST, _FEWEST = 16 << 10, 16  # bytes of windows, and windows, that are gone through channel by channel
_CACHE = 256 * 1024  # bytes of frames
_APART = 1024  # bytes from pixel to pixel, any multiple of which puts those of a window into few places of the cache

_tall_2, _single_2 = (make_channel_tile(rows, vectors=2) for rows in (TALLEST, 1))
_tall_1, _single_1 = (make_channel_tile(rows, vectors=1) for rows in (TALLEST, 1))
_sums = make_channel_sums(_ELEMENTS)


def forward(x, kernel, bias, strides, padding, dilation, relu=False, most=np.inf):
    N, H, W, C = x.shape
    KH, KW, _, F = kernel.shape
    counts = window_counts((H, W), (KH, KW), strides, padding, dilation)
    bias, x = np.zeros(F, x.dtype) if bias is None else plain(bias), _repeated(x, F)
    if _is_filled_up(x, counts[1], strides):
        z = forward(*map(_filled, (x, kernel, bias)), strides, padding, dilation, relu, most)
        return plain(z[..., :F])
    geometry = _geometry(strides, padding, dilation)
    if _fills_vectors(x):
        return _in_tiles(x, kernel, bias, geometry, counts, (0 if relu else -np.inf, most))
    z = np.empty((N, *counts, F), x.dtype)
    _forward(x, plain(kernel).reshape(KH, KW, F), bias, relu, geometry, z)
    return z if most == np.inf else limited(z, z, most)


def dx(dz, kernel, x_shape, strides, padding, dilation):
    KH, KW, _, F = kernel.shape
    if _is_filled_up(dz, dz.shape[2], strides):
        dz, kernel = map(_filled, (dz, kernel))
        found = dx(dz, kernel, (*x_shape[:3], dz.shape[3]), strides, padding, dilation)
        return _not_repeated(plain(found[..., :F]), x_shape)
    if _fills_vectors(dz):
        flipped, bias = kernel[::-1, ::-1], np.zeros(F, dz.dtype)
        geometry = _geometry((1, 1), mirrored(padding, (KH, KW), dilation), dilation)
        found = _in_tiles(plain(dz), flipped, bias, geometry, x_shape[1:3], (-np.inf, np.inf), strides)
        return _not_repeated(found, x_shape)
    dz, found = plain(dz), np.zeros((*x_shape[:3], F), dz.dtype)
    kernel, geometry = plain(kernel).reshape(KH, KW, F), _geometry(strides, padding, dilation)
    _backward(dz, dz, False, found, kernel, geometry, found, np.empty((0, KW, F), dz.dtype), np.empty(0, dz.dtype))
    return _not_repeated(found, x_shape)


def dkernel(dz, x, kernel_shape, strides, padding, dilation):
    nothing = np.empty(kernel_shape, dz.dtype)
    return backward(dz, x, nothing, strides, padding, dilation, needs_dx=False)[1]


def backward(dy, x, kernel, strides, padding, dilation, needs_dx=True, relu_output=None):
    """``dx, dkernel, dbias``, as `conv2d_backward`."""
    KH, KW, _, F = kernel.shape
    if _is_filled_up(dy, dy.shape[2], strides, at_least=VECTOR_BYTES // 2):
        y = None if relu_output is None else _filled(relu_output)
        of_rows = *map(_filled, (dy, _repeated(x, F), kernel)), strides, padding, dilation, needs_dx, y
        dx, dkernel, dbias = (None if found is None else plain(found[..., :F]) for found in backward(*of_rows))
        return _not_repeated(dx, x.shape) if needs_dx else None, dkernel, dbias
    if _fills_vectors(dy):
        return _backward_in_tiles(dy, x, kernel, strides, padding, dilation, needs_dx, relu_output)
    dy, repeated = plain(dy), _repeated(x, F)
    dx = np.zeros(repeated.shape, dy.dtype) if needs_dx else repeated[:0]
    dkernel, dbias = np.zeros((KH, KW, F), dy.dtype), np.zeros(F, dy.dtype)
    relu, y = relu_output is not None, dy if relu_output is None else plain(relu_output)
    kernel, geometry = plain(kernel).reshape(KH, KW, F), _geometry(strides, padding, dilation)
    _backward(dy, y, relu, repeated, kernel, geometry, dx, dkernel, dbias)
    return _not_repeated(dx, x.shape) if needs_dx else None, dkernel.reshape(KH, KW, 1, F), dbias


def _in_tiles(x, kernel, bias, geometry, window_counts, bounds, spread=(1, 1)):
    """z, cut off at both bounds; of images x whose pixels lie so far apart in their frames."""
    N, F = len(x), kernel.shape[3]
    z = np.empty((N, *window_counts, F), x.dtype)
    weights, bounds = np.concatenate([kernel.reshape(-1, F), bias[None]]), map(x.dtype.type, bounds)
    spread = tuple(int(k) for k in spread)
    known = x, spread, *_in_frames(x, kernel.shape, geometry, window_counts), weights, *bounds, z.reshape(-1, F)
    by_rows(_forward_in_tiles, N, _WORK * weights.size * math.prod(window_counts) * N, *known, multiple=1)
    return z


def _backward_in_tiles(dy, x, kernel, strides, padding, dilation, needs_dx, relu_output):
    KH, KW, _, F = kernel.shape
    dy, relu = plain(dy), relu_output is not None
    y, dz = plain(relu_output) if relu else dy, np.empty(dy.shape, dy.dtype) if relu else dy
    x_shape, x, geometry = x.shape, _repeated(x, F), _geometry(strides, padding, dilation)
    *frames, elements = _in_frames(x, kernel.shape, geometry, dy.shape[1:3])
    steps = np.zeros(elements.size + -elements.size % _ELEMENTS, np.intp)  # the last ones are read and thrown away
    steps[: elements.size] = elements
    sums, rows = sums_of(dy.size // F), (dy.size // F, F)
    dweights, dbias = np.empty((sums, len(steps), F), dy.dtype), np.empty((sums, F), dy.dtype)
    known = x, *frames, steps, dy.reshape(rows), y.reshape(rows), relu, dz.reshape(rows)
    by_rows(_sum_in_tiles, sums, _WORK * dy.size * KH * KW, *known, dweights, dbias, multiple=1)
    dkernel = added(dweights[:, : elements.size]).reshape(kernel.shape)
    return dx(dz, kernel, x_shape, strides, padding, dilation) if needs_dx else None, dkernel, added(dbias)


def _fills_vectors(x):
    """Whether there are as many channels as fill vectors."""
    return x.shape[3] * x.itemsize % VECTOR_BYTES == 0


def _is_filled_up(x, columns, strides, at_least=1 << 62):
    """Whether zeros are put behind its channels: where there are no runs of columns of z, or short ones.

    Also where the channels have more bytes than `at_least`.
    """
    channels = x.shape[3] * x.itemsize
    return not _fills_vectors(x) and (strides[1] > 1 or columns * channels < _SHORT or channels > at_least)


def _filled(x):
    """x with as many channels as fill vectors, those behind its own of zeros."""
    channels = x.shape[-1]
    filled = np.zeros((*x.shape[:-1], channels + -channels % (VECTOR_BYTES // x.itemsize)), x.dtype)
    filled[..., :channels] = x
    return filled


def _in_frames(x, kernel_shape, geometry, window_counts):
    """Where windows lie in the frames of images: ``images, frame, corner, starts, steps``.

    images: how many there are at a time; frame: height, width and numbers from pixel to pixel; corner: where the image
    begins in it; starts: where each window begins; steps: how far from there each of its elements lies.
    """
    (KH, KW), (SH, SW, DH, DW, top, left), (OH, OW) = kernel_shape[:2], geometry, window_counts
    N, _, _, F = x.shape
    FH, FW = (OH - 1) * SH + (KH - 1) * DH + 1, (OW - 1) * SW + (KW - 1) * DW + 1
    apart = F if F * x.itemsize % _APART > 0 else F + 2 * VECTOR_BYTES // x.itemsize
    images = max(1, min(N, _CACHE // max(1, FH * FW * apart * x.itemsize)))
    starts, steps = places((images, FH, FW, apart), (KH, KW, SH, SW, DH, DW, 0, 0), (OH, OW), False)
    return images, (FH, FW, apart), (top, left), starts, plain(steps[::apart])


def _repeated(x, F):
    return plain(x) if x.shape[3] == F else np.repeat(x, F // x.shape[3], axis=3)


def _not_repeated(dx, x_shape):
    if dx.shape[3] == x_shape[3]:
        return dx
    # NumPy's own sum of a few numbers of a last axis at a time takes several times as long.
    return functools.reduce(np.add, np.moveaxis(dx.reshape(*x_shape, -1), 4, 0))


@functools.lru_cache(maxsize=64)  # the same at every step
def _geometry(strides, padding, dilation):
    """(SH, SW, DH, DW, top, left)"""
    (top, _), (left, _) = padding
    return tuple(int(k) for k in (*strides, *dilation, top, left))


# ---- in tiles ----


@njit
def _forward_in_tiles(first, stop, x, spread, images, frame, corner, starts, steps, weights, least, most, y):
    F, windows, lanes = y.shape[1], len(y) // max(len(x), 1), VECTOR_BYTES // y.itemsize
    frames = np.zeros((min(images, stop - first), *frame), x.dtype)
    for n in range(first, stop, images):
        last = min(n + images, stop)
        pixels, rows = _put_in(x, n, last, spread, corner, frames), y[n * windows : last * windows]
        for m in range(0, len(rows), TALLEST):
            if len(rows) - m < TALLEST:
                for k in range(m, len(rows)):
                    for f in range(0, F - lanes, 2 * lanes):
                        _single_2(pixels[f:], starts, k, steps, weights, f, least, most, rows, k)
                    if F % (2 * lanes) > 0:
                        _single_1(pixels[F - lanes :], starts, k, steps, weights, F - lanes, least, most, rows, k)
            else:
                for f in range(0, F - lanes, 2 * lanes):
                    _tall_2(pixels[f:], starts, m, steps, weights, f, least, most, rows, m)
                if F % (2 * lanes) > 0:
                    _tall_1(pixels[F - lanes :], starts, m, steps, weights, F - lanes, least, most, rows, m)


@njit
def _sum_in_tiles(first, stop, x, images, frame, corner, starts, steps, dy, y, relu, dz, dweights, dbias):
    """The sums over all windows are `len(dweights)` sums, each over a part of the images."""
    N, F, lanes = len(x), dz.shape[1], VECTOR_BYTES // dz.itemsize
    windows, few = len(dz) // max(N, 1), max(_FEWEST, _NEAREST // (F * dz.itemsize))
    frames, total = np.zeros((images, *frame), x.dtype), np.empty(F, dz.dtype)
    for k in range(first, stop):
        stop_here = N * (k + 1) // len(dweights)
        dweights[k], dbias[k] = 0, 0
        for n in range(N * k // len(dweights), stop_here, images):
            last = min(n + images, stop_here)
            here, pixels = slice(n * windows, last * windows), _put_in(x, n, last, (1, 1), corner, frames)
            rows = dz[here]
            total[:] = 0  # of some images: a sum of a whole batch's would lose digits
            slopes(dy[here], y[here], relu, rows, total)
            for f in range(F):
                dbias[k, f] += total[f]
            for m in range(0, len(rows), few):
                count = min(few, len(rows) - m)
                for element in range(0, len(steps), _ELEMENTS):
                    for f in range(0, F, lanes):
                        _sums(pixels[f:], starts[m:], count, steps, element, rows[m:], f, dweights[k])


@njit(inner=True)
def _put_in(x, first, stop, spread, corner, frames):
    """The images from first to stop amid zeros, or cut: the numbers of their frames, one after the other."""
    (N, H, W, F), (images, FH, FW, apart) = x.shape, frames.shape
    rows, rows_of_frames = x.reshape(N * H, W * F), frames.reshape(images * FH, FW * apart)
    _put_rows_in(rows, first, stop, H, F, spread, corner, rows_of_frames, FH, apart)
    return frames.reshape(-1)


@njit(inner=True, counts=False)
def _put_rows_in(x, first, stop, H, F, spread, corner, frames, FH, apart):
    """Of matrices whose rows are those of images and of frames."""
    (SH, SW), (top, left), W, FW = spread, corner, x.shape[1] // F, frames.shape[1] // apart
    begin, end = max(0, -(left // SW)), min(W, -((left - FW) // SW))  # columns that a frame has
    side_by_side = SW == 1 and apart == F
    for n in range(first, stop):
        for p in range(H):
            i = p * SH + top
            if not 0 <= i < FH:
                continue
            row, row_of_frame = x[n * H + p], frames[(n - first) * FH + i]
            if side_by_side:
                copy_run(row[begin * F : end * F], row_of_frame[(left + begin) * F :])
            else:
                for q in range(begin, end):
                    copy_run(row[q * F : (q + 1) * F], row_of_frame[(q * SW + left) * apart :])


# ---- with few channels, and columns side by side ----


@njit(inner=True)
def _columns(OW, F):
    """How many columns of z are computed in one loop."""
    return max(1, min(OW, _RUN // F))


@njit(inner=True)
def _laid_out(kernel, columns):
    """The kernel (KH, KW, F), the F weights of a place as often as there are columns."""
    KH, KW, F = kernel.shape
    repeated = np.empty((KH, KW, columns * F), kernel.dtype)
    for a in range(KH):
        for b in range(KW):
            for j in range(columns):
                for f in range(F):
                    repeated[a, b, j * F + f] = kernel[a, b, f]
    return repeated


@njit(inner=True)
def _met(first, last, W, shift):
    """Of the columns of z from `first` to `last`, those that meet a column of x: ``q = j + shift`` is in 0..W-1."""
    first = max(first, -shift)
    return first, max(first, min(last, W - shift))


@njit
def _forward(x, kernel, bias, relu, geometry, z):
    SH, _, DH, DW, top, left = geometry
    _, H, W, _ = x.shape
    N, OH, OW, F = z.shape
    KH, KW, _ = kernel.shape
    columns, zero = _columns(OW, F), z.dtype.type(0)
    kernels = _laid_out(kernel, columns)
    for n in range(N):
        for i in range(OH):
            z_ni = z[n, i].reshape(-1)
            for j in range(OW):
                for f in range(F):
                    z_ni[j * F + f] = bias[f]
            for start in range(0, OW, columns):
                for a in range(KH):
                    p = i * SH + a * DH - top
                    if not 0 <= p < H:
                        continue
                    x_np = x[n, p].reshape(-1)
                    for b in range(KW):
                        shift = b * DW - left
                        j, last = _met(start, min(start + columns, OW), W, shift)
                        run, weights = z_ni[j * F : last * F], kernels[a, b]
                        pixels = x_np[(j + shift) * F :]
                        for k in range(run.size):
                            run[k] += pixels[k] * weights[k]
            if relu:
                for k in range(z_ni.size):
                    z_ni[k] = max(z_ni[k], zero)


@njit
def _backward(dy, y, relu, x, kernel, geometry, dx, dkernel, dbias):
    """dx += what comes back of dz; dkernel and dbias += theirs; nothing of what has no rows."""
    SH, _, DH, DW, top, left = geometry
    _, H, W, _ = x.shape
    N, OH, OW, F = dy.shape
    KH, KW, _ = kernel.shape
    needs_dx, needs_weights, zero = len(dx) > 0, len(dkernel) > 0, dy.dtype.type(0)
    columns = _columns(OW, F)
    kernels = _laid_out(kernel, columns)
    dkernels = np.zeros(kernels.shape, dy.dtype)
    slopes = np.empty(OW * F, dy.dtype)
    for n in range(N):
        for i in range(OH):
            dz_ni, y_ni = dy[n, i].reshape(-1), y[n, i].reshape(-1)
            if relu:  # dz is dy where y > 0, else 0
                for k in range(slopes.size):
                    slopes[k] = dz_ni[k] if y_ni[k] > zero else zero
                dz_ni = slopes
            if needs_weights:
                for j in range(OW):
                    for f in range(F):
                        dbias[f] += dz_ni[j * F + f]
            for start in range(0, OW, columns):
                for a in range(KH):
                    p = i * SH + a * DH - top
                    if not 0 <= p < H:
                        continue
                    for b in range(KW):
                        shift = b * DW - left
                        j, last = _met(start, min(start + columns, OW), W, shift)
                        run, first = dz_ni[j * F : last * F], (j + shift) * F
                        if needs_weights:
                            dweights, pixels = dkernels[a, b], x[n, p].reshape(-1)[first:]
                            for k in range(run.size):
                                dweights[k] += pixels[k] * run[k]
                        if needs_dx:
                            weights, dpixels = kernels[a, b], dx[n, p].reshape(-1)[first:]
                            for k in range(run.size):
                                dpixels[k] += weights[k] * run[k]
    if needs_weights:
        for a in range(KH):
            for b in range(KW):
                for j in range(columns):
                    for f in range(F):
                        dkernel[a, b, f] += dkernels[a, b, j * F + f]
