"""Images sheared at random: rows are shifted by a part of their height, columns by a part of their place.

x = X + s_x Y        y = s_y X + Y
"""

from typing import Any

import numpy as np

from scratchnet.hints import Seed
from scratchnet.layers.preprocessing.images.image_layer import check_range
from scratchnet.layers.preprocessing.images.random_mapping import RandomAffine
from scratchnet.registry import register


@register("layers")
class RandomShear(RandomAffine):
    """(N, H, W, C) -> (N, H, W, C), in training.

    Args:
        x_factor, y_factor: s_x and s_y: two numbers in [0, 1], or one for both signs; both get the same random sign.
        interpolation: "bilinear" or "nearest".
        fill_mode: what is seen where there is no pixel: "reflect", "wrap", "constant" or "nearest".
        fill_value: what is seen with "constant".
        data_format: "channels_last" or "channels_first".
        seed: an integer of at least 0 makes the numbers repeatable by themselves.

    Raises ValueError for invalid factors, modes and interpolations.
    """

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: Seed = None,
        **kwargs,
    ):
        super().__init__(fill_mode, interpolation, fill_value, seed, data_format, **kwargs)
        self.x_factor = x_factor
        self.y_factor = y_factor
        self._x = check_range(self, "x_factor", x_factor, 0, 1)
        self._y = check_range(self, "y_factor", y_factor, 0, 1)

    def draw(self, shape):
        u = self.random.uniform((shape[0], 3))
        lower, upper = np.transpose([self._x, self._y])
        sign = np.where(u[:, :1] > 0.5, -1, 1)
        return {"shear_factor": sign * (lower + (upper - lower) * u[:, 1:])}  # (N, 2)

    def matrices(self, drawn, H, W):
        sx, sy = drawn["shear_factor"].T
        return 1, sx, 0, sy, 1, 0
