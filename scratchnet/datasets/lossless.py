"""Lossless packing of small colour images, for the sample of CIFAR-10 that the package embeds.

What a pixel's neighbours already tell is subtracted, and xz packs what is left. Two predictions are made:

- colours vary together: the planes kept are green, red - green and blue - green;
- a value resembles its neighbours left (a), above (b) and above left (c): the median of a, b and a + b - c, which
  follows an edge in either direction and a slope where there is none. Outside the image a neighbour takes the value of
  the one that is inside, and the first pixel of all is predicted as 0.

The prediction is the one of JPEG-LS: M. Weinberger, G. Seroussi, G. Sapiro, "The LOCO-I lossless image compression
algorithm", IEEE Transactions on Image Processing 9, 2000. Of the residuals only the value modulo 256 is kept: it is
enough, because a pixel is known to lie in 0..255.
"""

import numpy as np


def pack(images):
    """Residuals of the images as bytes that compress well.

    Args:
        images: uint8 array (N, H, W, 3).

    Returns:
        uint8 array (3, N, H, W): one plane after the other.
    """
    red, green, blue = np.moveaxis(images.astype(np.int16), 3, 0)  # each (N, H, W)
    planes = np.stack([green, red - green, blue - green])  # (3, N, H, W)
    residuals = np.empty_like(planes)
    for row, column in np.ndindex(planes.shape[2:]):
        residuals[:, :, row, column] = planes[:, :, row, column] - _predict(planes, row, column)
    return _to_unsigned(residuals)


def unpack(packed):
    """The inverse of ``pack``: (3, N, H, W) residuals to uint8 images (N, H, W, 3)."""
    residuals = _to_signed(packed)
    green = _restore(residuals[0], np.zeros_like(residuals[0]))
    red = green + _restore(residuals[1], green)
    blue = green + _restore(residuals[2], green)
    return np.stack([red, green, blue], axis=3).astype(np.uint8)  # (N, H, W, 3)


def _restore(residuals, base):
    """The plane ``p`` of these residuals (N, H, W), of which ``base + p`` is known to lie in 0..255."""
    plane = np.empty_like(residuals)
    for row, column in np.ndindex(plane.shape[1:]):
        here = base[:, row, column]
        value = _predict(plane, row, column) + residuals[:, row, column]
        plane[:, row, column] = (here + value) % 256 - here
    return plane


def _predict(planes, row, column):
    """Prediction of ``planes[..., row, column]`` from its neighbours left, above and above left."""
    if row == 0 and column == 0:
        return np.zeros_like(planes[..., 0, 0])
    if row == 0:
        return planes[..., 0, column - 1]
    if column == 0:
        return planes[..., row - 1, 0]
    left, above = planes[..., row, column - 1], planes[..., row - 1, column]
    slope = left + above - planes[..., row - 1, column - 1]
    return np.clip(slope, np.minimum(left, above), np.maximum(left, above))  # the median of the three


def _to_unsigned(residuals):
    """0, -1, 1, -2, 2, ... to 0, 1, 2, 3, 4, ...: small residuals of either sign become small bytes."""
    residuals = (residuals + 128) % 256 - 128
    return np.where(residuals < 0, -2 * residuals - 1, 2 * residuals).astype(np.uint8)


def _to_signed(packed):
    """The inverse of ``_to_unsigned``, modulo 256."""
    packed = packed.astype(np.int16)
    return np.where(packed % 2 == 1, -(packed + 1) // 2, packed // 2)
