"""An image that is turned, shifted, sheared and zoomed about its middle, in one pass."""

import numpy as np

# Where a point outside of the image is looked up: (place, size) -> place.
_FILLS = {
    "nearest": lambda place, size: np.clip(place, 0, size - 1),
    "reflect": lambda place, size: size - 0.5 - np.abs((place + 0.5) % (2 * size) - size),
    "wrap": lambda place, size: place % size,
    "constant": lambda place, size: place,
}
FILL_MODES = tuple(_FILLS)


def affine_matrix(theta=0.0, tx=0.0, ty=0.0, shear=0.0, zx=1.0, zy=1.0):
    """The matrix (2, 3) that leads from (column, row) of the new image, seen from its middle, to those of the old one.

    theta and shear in degrees, shifts in pixels (tx of columns, ty of rows), zx and zy how much more is seen.
    """
    t, s = np.deg2rad([theta, shear])
    rotation = np.array([[np.cos(t), -np.sin(t), 0], [np.sin(t), np.cos(t), 0], [0, 0, 1]])
    shift = np.array([[1, 0, tx], [0, 1, ty], [0, 0, 1]])
    shearing = np.array([[1, -np.sin(s), 0], [0, np.cos(s), 0], [0, 0, 1]])
    return (rotation @ shift @ shearing @ np.diag([zx, zy, 1]))[:2]


def warp(x, matrix, fill_mode="nearest", cval=0.0):
    """The image (H, W, C) seen through the matrix, bilinear; points outside are filled by `fill_mode`."""
    H, W, _ = x.shape
    middle = np.array([(W - 1) / 2, (H - 1) / 2])
    rows, columns = np.mgrid[:H, :W]
    seen = np.stack([columns - middle[0], rows - middle[1], np.ones((H, W))])  # (3, H, W)
    columns, rows = np.tensordot(matrix, seen, 1) + middle[:, None, None]  # (H, W) each
    outside = (rows < 0) | (rows > H - 1) | (columns < 0) | (columns > W - 1)
    rows, columns = _FILLS[fill_mode](rows, H), _FILLS[fill_mode](columns, W)
    y = _bilinear(x, rows, columns, wrap=fill_mode == "wrap")
    return np.where(outside[..., None], x.dtype.type(cval), y) if fill_mode == "constant" else y


def _bilinear(x, rows, columns, wrap):
    """The values of the image between its pixels: means of the four around a point, by how near they are."""
    H, W, _ = x.shape
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    down, right = (rows - top)[..., None], (columns - left)[..., None]  # (H, W, 1)

    def pixel(i, j):
        return x[i % H, j % W] if wrap else x[np.clip(i, 0, H - 1), np.clip(j, 0, W - 1)]

    above = pixel(top, left) * (1 - right) + pixel(top, left + 1) * right
    below = pixel(top + 1, left) * (1 - right) + pixel(top + 1, left + 1) * right
    return (above * (1 - down) + below * down).astype(x.dtype)
