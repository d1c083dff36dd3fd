"""Images turned about their middle at random: a turn by the angle t, which the map undoes pixel by pixel.

    x - cx = cos(t) (X - cx) - sin(t) (Y - cy)        y - cy = sin(t) (X - cx) + cos(t) (Y - cy)

(cx, cy) = ((W - 1) / 2, (H - 1) / 2). Since Y grows downwards, a positive angle turns the image to the left.
"""

import numpy as np

from scratchnet.hints import Seed
from scratchnet.layers.preprocessing.images.image_layer import check_range
from scratchnet.layers.preprocessing.images.random_mapping import RandomAffine
from scratchnet.registry import register


@register("layers")
class RandomRotation(RandomAffine):
    """(N, H, W, C) -> (N, H, W, C), in training.

    Args:
        factor: how far, as parts of a whole turn: two numbers in [-1, 1], or one for both directions.
        fill_mode: what is seen where there is no pixel: "reflect", "wrap", "constant" or "nearest".
        interpolation: "bilinear" or "nearest".
        seed: an integer of at least 0 makes the numbers repeatable by themselves.
        fill_value: what is seen with "constant".
        data_format: "channels_last" or "channels_first".

    Raises ValueError for invalid factors, modes and interpolations.
    """

    def __init__(
        self,
        factor: float,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Seed = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(fill_mode, interpolation, fill_value, seed, data_format, **kwargs)
        self.factor = check_range(self, "factor", factor, -1, 1)

    def draw(self, shape):
        lower, upper = self.factor
        return {"angle": self.uniform(shape[0], 360 * lower, 360 * upper)[:, 0]}  # in degrees

    def matrices(self, drawn, H, W):
        t = np.radians(drawn["angle"])
        cos, sin = np.cos(t), np.sin(t)
        cx, cy = (W - 1) / 2, (H - 1) / 2
        return cos, -sin, cx - cos * cx + sin * cy, sin, cos, cy - sin * cx - cos * cy
