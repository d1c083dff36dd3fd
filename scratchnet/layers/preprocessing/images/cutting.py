"""Rectangles cut out of images, and brought to a size: y = A x[part] B^T, so dx[part] = A^T dy B and 0 elsewhere."""

import numpy as np

from scratchnet.interpolation import resize, resize_adjoint


def cut(x, part, size, interpolation="bilinear", antialias=False):
    """The `part` (top, left, height, width) of images (N, H, W, C) as images of `size`."""
    y = x[_within(part)]
    return y if part[2:] == size else resize(y, size, interpolation, antialias)


def cut_adjoint(dy, part, image_size, interpolation="bilinear", antialias=False):
    """dx of `cut` for images of `image_size` (H, W)."""
    N, *size, C = dy.shape
    dx = np.zeros((N, *image_size, C), dy.dtype)
    dx[_within(part)] = dy if part[2:] == tuple(size) else resize_adjoint(dy, part[2:], interpolation, antialias)
    return dx


def _within(part):
    top, left, height, width = part
    return np.s_[:, top : top + height, left : left + width]
