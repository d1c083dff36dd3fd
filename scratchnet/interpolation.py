"""Images of another size: every new pixel is a weighted mean of old ones near it.

Pixel i of a new row lies at c_i = (i + 1/2) size / new_size - 1/2 in the old row. The weight of the old pixel j is
k(j - c_i), for a kernel k that falls off with the distance, and the weights of a new pixel add up to 1:

    y = A x B^T,    A (new_H, H) and B (new_W, W) the weights of rows and columns

so the adjoint is dx = A^T dy B. "area" weighs an old pixel by how much of it the new one covers. The kernels are those
of Keys ("Cubic convolution interpolation for digital image processing", 1981), of Mitchell and Netravali
("Reconstruction filters in computer graphics", 1988), and Lanczos's windowed sinc. Where an image shrinks, they reach
over as few old pixels as ever, and what is finer than the new pixels turns up as something coarser; with `antialias`
they are as wide as the new pixels.

Most weights are 0. Two products with whole matrices are quick to read, and slow; a compiled kernel, where there is one,
takes the few weights of each new pixel that are not, as long as they are few.
"""

import functools
import math

import numpy as np

from scratchnet import kernels


def resize(images, size, interpolation="bilinear", antialias=False):
    """Images (N, H, W, C) as (N, *size, C), float; a single image (H, W, C) likewise."""
    H, W = images.shape[-3:-1]
    images = images.astype(np.result_type(images, _float_like(images)), copy=False)
    bands = _bands_of_both(images, (H, size[0]), (W, size[1]), interpolation, antialias)
    if bands is not None:
        return _resize_by_bands(images, *bands)
    A, B = resize_weights(H, size[0], interpolation, antialias), resize_weights(W, size[1], interpolation, antialias)
    rows = np.moveaxis(np.tensordot(images, B.astype(images.dtype), (-2, 1)), -1, -2)  # (..., H, new_W, C)
    return np.moveaxis(np.tensordot(rows, A.astype(rows.dtype), (-3, 1)), -1, -3)  # (..., new_H, new_W, C)


def resize_adjoint(dy, size, interpolation="bilinear", antialias=False):
    """dx of `resize` for images of `size` (H, W): A^T dy B, (N, new_H, new_W, C) -> (N, H, W, C)."""
    new_H, new_W = dy.shape[-3:-1]
    bands = _bands_of_both(dy, (size[0], new_H), (size[1], new_W), interpolation, antialias, transposed=True)
    if bands is not None:
        return _resize_by_bands(dy, *bands)
    A = resize_weights(size[0], new_H, interpolation, antialias)
    B = resize_weights(size[1], new_W, interpolation, antialias)
    rows = np.moveaxis(np.tensordot(dy, A.astype(dy.dtype), (-3, 0)), -1, -3)  # (..., H, new_W, C)
    return np.moveaxis(np.tensordot(rows, B.astype(dy.dtype), (-2, 0)), -1, -2)  # (..., H, W, C)


def middle(height, width, size):
    """``(top, left, height, width)`` of the largest part in the middle whose sides are in proportion as in `size`."""
    h, w = min(height, width * size[0] // size[1]), min(width, height * size[1] // size[0])
    h, w = max(h, 1), max(w, 1)
    return (height - h) // 2, (width - w) // 2, h, w


@functools.lru_cache(64)
def resize_weights(size, new_size, interpolation, antialias=False):
    """The matrix (new_size, size) that makes a row of another length. Raises ValueError for an unknown kernel."""
    if interpolation not in INTERPOLATIONS:
        raise ValueError(f"unknown interpolation {interpolation!r}, expected one of {', '.join(INTERPOLATIONS)}")
    scale = size / new_size
    if interpolation == "area":
        edges = np.arange(new_size + 1) * scale
        old = np.arange(size)
        weights = np.minimum(old + 1, edges[1:, None]) - np.maximum(old, edges[:-1, None])  # what both have in common
        weights = np.maximum(weights, 0)
    else:
        centres = (np.arange(new_size) + 0.5) * scale - 0.5
        if interpolation == "nearest":
            chosen = np.minimum(np.floor(centres + 0.5), size - 1)
            weights = np.equal.outer(chosen, np.arange(size)).astype(float)
        else:
            width = max(scale, 1) if antialias else 1
            weights = _KERNELS[interpolation](np.abs(np.arange(size) - centres[:, None]) / width)
    weights /= weights.sum(axis=1, keepdims=True)
    weights.flags.writeable = False  # it is cached
    return weights


@functools.lru_cache(64)
def _bands(size, new_size, interpolation, antialias, transposed=False):
    """``first (M,), weights (M, K)`` of a matrix of weights, or its transpose: of row i those from first[i] on.

    K is the largest number of places from the first that is not 0 to the last.
    """
    matrix = resize_weights(size, new_size, interpolation, antialias)
    matrix = matrix.T if transposed else matrix
    M, L = matrix.shape
    matters = matrix != 0
    first, stop = matters.argmax(axis=1), L - matters[:, ::-1].argmax(axis=1)
    K = np.where(matters.any(axis=1), stop - first, 1).max(initial=1)
    first = np.minimum(first, L - K)  # at the end zeros come before, not behind
    return first, matrix[np.arange(M)[:, None], first[:, None] + np.arange(K)]


def _bands_of_both(images, heights, widths, interpolation, antialias, transposed=False):
    """The `_bands` for rows and columns, where a kernel is quicker with them than two products are; None elsewhere."""
    if kernels.resize_images is None or images.dtype not in (np.float32, np.float64) or not images.size:
        return None
    both = [_bands(*sizes, interpolation, antialias, transposed) for sizes in (heights, widths)]
    *_, H, W, C = images.shape
    few = max(4, min(C, 8))  # weights: many channels fill vectors
    are_few = all(weights.shape[1] <= max(few, size // 6) for (_, weights), size in zip(both, (H, W)))
    return both if are_few else None


def _resize_by_bands(images, rows, columns):
    *batch, H, W, C = images.shape
    y = kernels.resize_images(images.reshape(math.prod(batch), H, W, C), rows, columns)
    return y.reshape(*batch, *y.shape[1:])


def _cubic(b, c):
    """Mitchell's family of cubics of the distance d: b = 0, c = 1/2 is Keys's."""

    def kernel(d):
        near = (12 - 9 * b - 6 * c) * d**3 + (-18 + 12 * b + 6 * c) * d**2 + 6 - 2 * b
        far = (-b - 6 * c) * d**3 + (6 * b + 30 * c) * d**2 + (-12 * b - 48 * c) * d + 8 * b + 24 * c
        return np.where(d < 1, near, np.where(d < 2, far, 0)) / 6

    return kernel


def _lanczos(radius):
    return lambda d: np.where(d < radius, np.sinc(d) * np.sinc(d / radius), 0)


_KERNELS = {
    "bilinear": lambda d: np.maximum(1 - d, 0),
    "bicubic": _cubic(0, 1 / 2),
    "mitchellcubic": _cubic(1 / 3, 1 / 3),
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
    "gaussian": lambda d: np.where(d < 1.5, np.exp(-2 * d**2), 0),
}
INTERPOLATIONS = ("area", "nearest", *_KERNELS)


def _float_like(images):
    return images.dtype if images.dtype.kind == "f" else np.float32
