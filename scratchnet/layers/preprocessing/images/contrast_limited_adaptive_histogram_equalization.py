"""CLAHE: the shades of each neighbourhood used alike, without making noise of what is nearly flat.

The image is laid out in tiles, of which each has a histogram h of its 256 shades. What a shade has above a limit is
taken off and given to all alike, which bounds how steep the curve of shades can get; that is the running sum:

    h_k <- min(h_k, limit) + (sum of what was above) / 256        limit = clip_limit (pixels of a tile) / 256
    curve_k = 255 (cdf_k - cdf_0) / (pixels - cdf_0)              cdf_k = h_0 + ... + h_k

A pixel is seen through the curves of the four tiles whose middles lie around it, mixed in the proportion of the
opposite areas, so that no border shows; beyond the outer middles the outer tiles go on (Zuiderveld, "Contrast limited
adaptive histogram equalization", Graphics Gems IV, 1994). If the tiles do not fit, the image is mirrored at its lower
and right border. Between two shades nothing changes, and there it jumps: dx is 0.
"""

import numpy as np

from scratchnet.checks import check_number, check_positive_int
from scratchnet.hints import Sequence
from scratchnet.layers.preprocessing.images.image_layer import ImageLayer, check_value_range
from scratchnet.registry import register

SHADES = 256


@register("layers")
class ContrastLimitedAdaptiveHistogramEqualization(ImageLayer):
    """(N, H, W, C) -> (N, H, W, C), in training and outside of it.

    Args:
        value_range: the smallest and the largest value of a pixel.
        clip_limit: how far a shade may stand out of the mean of its tile's histogram; 0: as far as it does.
        tile_grid_size: how many tiles an image has, along its height and its width.
        data_format: "channels_last" or "channels_first".

    Raises ValueError for an invalid range, limit or grid.
    """

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: Sequence[int] = (8, 8),
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(data_format, **kwargs)
        self.value_range = check_value_range(self, value_range)
        self.clip_limit = check_number(self, "clip_limit", clip_limit)
        if not isinstance(tile_grid_size, (tuple, list)) or len(tile_grid_size) != 2:
            raise self.error(f"tile_grid_size must be two integers, for height and width, got {tile_grid_size!r}")
        self.tile_grid_size = tuple(check_positive_int(self, "tile_grid_size", n) for n in tile_grid_size)

    def transform(self, x, drawn):
        N, H, W, C = x.shape
        low, high = (x.dtype.type(value) for value in self.value_range)
        unit = (high - low) / 255
        heights, widths = (-(-size // n) for size, n in zip((H, W), self.tile_grid_size))  # of a tile
        shades = np.clip((x - low) / unit, 0, SHADES - 1).astype(np.int64)
        curves = self._curves(shades, heights, widths).astype(x.dtype)
        (top, bottom, v), (left, right, u) = (
            _around(size, tile, n) for size, tile, n in zip((H, W), (heights, widths), self.tile_grid_size)
        )
        n, c = np.arange(N)[:, None, None, None], np.arange(C)
        v, u = (weights.astype(x.dtype) for weights in (v[:, None, None], u[:, None]))

        def seen(i, j):  # through the curve of tile (i, j)
            return curves[n, i[:, None, None], j[:, None], c, shades]  # (N, H, W, C)

        upper = (1 - u) * seen(top, left) + u * seen(top, right)
        lower = (1 - u) * seen(bottom, left) + u * seen(bottom, right)
        return ((1 - v) * upper + v * lower) * unit + low, None

    def transform_backward(self, dy, drawn, kept):
        return np.zeros_like(dy)

    def _curves(self, shades, heights, widths):
        """What each tile makes of each shade: (N, rows of tiles, columns of tiles, C, 256)."""
        N, H, W, C = shades.shape
        rows, columns = self.tile_grid_size
        pixels = heights * widths
        margin = (0, rows * heights - H), (0, columns * widths - W)
        tiles = np.pad(shades, ((0, 0), *margin, (0, 0)), mode="symmetric")
        tiles = tiles.reshape(N, rows, heights, columns, widths, C).transpose(0, 1, 3, 5, 2, 4)
        tiles = tiles.reshape(-1, pixels)  # a row for each tile and channel
        counts = np.bincount((np.arange(len(tiles))[:, None] * SHADES + tiles).ravel(), minlength=len(tiles) * SHADES)
        counts = counts.reshape(-1, SHADES).astype(np.float64)
        if self.clip_limit:
            cut = np.minimum(counts, self.clip_limit * pixels / SHADES)
            counts = cut + (counts - cut).sum(axis=1, keepdims=True) / SHADES
        cdf = counts.cumsum(axis=1)
        darkest = cdf[:, :1]
        curves = np.clip((cdf - darkest) * 255 / np.where(darkest == pixels, 1, pixels - darkest), 0, 255)
        return curves.reshape(N, rows, columns, C, SHADES)


def _around(size, tile, count):
    """For each of `size` pixels the tile before and behind it, and how much it has of the second."""
    place = (np.arange(size) - tile / 2) / tile  # in tiles, from the middle of the first
    before = np.floor(place)
    first, second = (np.clip(k, 0, count - 1).astype(np.int64) for k in (before, before + 1))
    return first, second, place - before
