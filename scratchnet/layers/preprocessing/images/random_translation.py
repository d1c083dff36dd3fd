"""Images moved up, down, left and right at random: new[Y, X] = old[Y - dy, X - dx]."""

from typing import Any

import numpy as np

from scratchnet.hints import Seed
from scratchnet.layers.preprocessing.images.image_layer import check_range
from scratchnet.layers.preprocessing.images.random_mapping import RandomAffine
from scratchnet.registry import register


@register("layers")
class RandomTranslation(RandomAffine):
    """(N, H, W, C) -> (N, H, W, C), in training.

    Args:
        height_factor, width_factor: how far, as parts of the height (positive: down) and of the width (to the right):
            two numbers in [-1, 1], or one for both directions.
        fill_mode: what is seen where there is no pixel: "reflect", "wrap", "constant" or "nearest".
        interpolation: "bilinear" or "nearest".
        seed: an integer of at least 0 makes the numbers repeatable by themselves.
        fill_value: what is seen with "constant".
        data_format: "channels_last" or "channels_first".

    Raises ValueError for invalid factors, modes and interpolations.
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Seed = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(fill_mode, interpolation, fill_value, seed, data_format, **kwargs)
        self.height_factor = height_factor
        self.width_factor = width_factor
        self._height = check_range(self, "height_factor", height_factor, -1, 1)
        self._width = check_range(self, "width_factor", width_factor, -1, 1)

    def draw(self, shape):
        N, H, W, _ = shape
        u = self.random.uniform((N, 2))
        (left, right), (up, down) = self._width, self._height
        translations = (left + (right - left) * u[:, 0]) * W, (up + (down - up) * u[:, 1]) * H
        return {"translations": np.stack(translations, axis=1)}

    def matrices(self, drawn, H, W):
        dx, dy = drawn["translations"].T
        return 1, 0, -dx, 0, 1, -dy
