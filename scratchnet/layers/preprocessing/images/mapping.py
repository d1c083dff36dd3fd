"""Images seen through a map: translated, turned, zoomed, sheared, tilted, or bent.

The map goes backwards, from each pixel (X, Y) of the new image to the place (x, y) of the old one that is seen there,
so that every new pixel gets a value. An affine map is

    x = a0 X + a1 Y + a2        y = b0 X + b1 Y + b2

Between pixels the value is interpolated from the four around (bilinear), in the proportion of the opposite areas:

    new = (1 - v) ((1 - u) old[i, j] + u old[i, j + 1]) + v ((1 - u) old[i + 1, j] + u old[i + 1, j + 1])
    i, j = floor(y), floor(x)        v, u = y - i, x - j

or it is the value of the next one (nearest). Where there is no old pixel, `fill_mode` says what is seen:

    constant  k k k k | a b c d | k k k k        nearest  a a a a | a b c d | d d d d
    reflect   d c b a | a b c d | d c b a        wrap     a b c d | a b c d | a b c d
    mirror    d c b   | a b c d |   c b a

All that is linear in the old image. Its adjoint scatters: each new pixel's adjoint is added to the old ones that it was
made of, with the same weights (Jaderberg et al., "Spatial transformer networks", 2015, equation 6).
"""

from typing import NamedTuple

import numpy as np

from scratchnet import kernels

FILL_MODES = ("reflect", "wrap", "constant", "nearest")  # a few layers take "mirror", too
INTERPOLATIONS = ("nearest", "bilinear")


class Sampling(NamedTuple):
    shape: tuple  # of the images
    taps: list  # of pairs: which rows of x (N H W, C) each new pixel reads, and with which weight; (N H W,) each


def affine_places(matrices, H, W):
    """``(rows, columns)``, (N, H, W) each, of the affine maps `matrices` (N, 6) with rows a0, a1, a2, b0, b1, b2."""
    Y, X = np.mgrid[:H, :W]
    a0, a1, a2, b0, b1, b2 = np.asarray(matrices).T[:, :, None, None]
    return b0 * X + b1 * Y + b2, a0 * X + a1 * Y + a2  # y and x


def map_forward(x, rows, columns, interpolation="bilinear", fill_mode="constant", fill_value=0.0):
    """``(y, sampling)`` for images (N, H, W, C) of which (rows, columns), (N, H, W) each, are seen at each pixel."""
    N, H, W, C = x.shape
    rows, columns = _within(rows, H, fill_mode), _within(columns, W, fill_mode)
    if interpolation == "nearest":
        taps = [_tap(_rounded(rows), _rounded(columns), 1.0, x)]
    else:
        i, j = np.floor(rows), np.floor(columns)
        v, u = rows - i, columns - j
        taps = [
            _tap(i + k, j + m, (v if k else 1 - v) * (u if m else 1 - u), x)
            for k in (0, 1)
            for m in (0, 1)
        ]  # fmt: skip
    pixels = x.reshape(N * H * W, C)
    y = sum(weights[:, None] * pixels[places] for places, weights in taps)
    if fill_value != 0:
        y += x.dtype.type(fill_value) * (1 - sum(weights for _, weights in taps))[:, None]  # what no old pixel gave
    return y.reshape(x.shape), Sampling(x.shape, taps)


def map_backward(dy, sampling):
    """dx of `map_forward`."""
    N, H, W, C = sampling.shape
    dy = dy.reshape(N * H * W, C)
    dx = sum(kernels.add_rows(weights[:, None] * dy, places, N * H * W) for places, weights in sampling.taps)
    return dx.reshape(sampling.shape)


def _tap(i, j, weights, x):
    """The places (i, j) of each image as rows of all pixels; outside of the images the weight is 0."""
    N, H, W, _ = x.shape
    inside = (i >= 0) & (i < H) & (j >= 0) & (j < W)
    first = (np.arange(N) * H * W)[:, None, None]  # of each image
    places = first + np.clip(i, 0, H - 1).astype(np.int64) * W + np.clip(j, 0, W - 1).astype(np.int64)
    return places.reshape(-1), (weights * inside).astype(x.dtype).reshape(-1)


def _rounded(c):
    """To the next integer; halves away from 0."""
    return np.copysign(np.floor(np.abs(c) + 0.5), c)


def _within(c, size, fill_mode):
    """Coordinates that lie outside of 0 to size - 1 as those of the pixels that are seen there."""
    if fill_mode == "constant":
        return c
    if size == 1:
        return np.zeros_like(c)
    if fill_mode == "reflect":
        folded = np.mod(c + 0.5, 2 * size)  # from edge to edge, there and back
        c = np.where(folded > size, 2 * size - folded, folded) - 0.5
    elif fill_mode == "mirror":
        c = np.abs(np.mod(c + size - 1, 2 * (size - 1)) - (size - 1))  # from middle to middle
    elif fill_mode == "wrap":  # as TensorFlow counts: the turns by size - 1, their length by size
        turns = np.where(c < 0, -1 - np.floor(-c / (size - 1)), np.floor(c / (size - 1)))
        c = np.where((c < 0) | (c > size - 1), c - size * turns, c)
    return np.clip(c, 0, size - 1)
