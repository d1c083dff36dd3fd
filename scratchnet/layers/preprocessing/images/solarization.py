"""Bright pixels as in a negative, at random: a + x is turned round where it is not below a threshold.

    z = clip(x + a)        y = z below the threshold, else 255 - z        (on a scale from 0 to 255)

Film that is exposed too long does that (Sabattier 1862). dx = dy, -dy where it is turned, 0 where z is cut off.
"""

import numpy as np

from scratchnet.hints import Any, Seed, Sequence
from scratchnet.layers.preprocessing.images.image_layer import (
    RandomImageLayer,
    check_range,
    check_value_range,
    clipped,
)
from scratchnet.registry import register


@register("layers")
class Solarization(RandomImageLayer):
    """(N, H, W, C) -> (N, H, W, C), in training.

    Args:
        addition_factor, threshold_factor: a and the threshold, as parts of 255: two numbers in [0, 1] to draw between;
            one number f stands for (0, f). As in Keras, the smaller of two is not multiplied by 255.
        value_range: the smallest and the largest value of a pixel.
        seed: an integer of at least 0 makes the numbers repeatable by themselves.

    Raises ValueError for an invalid factor or range.
    """

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Sequence[float] = (0, 255),
        seed: Seed = None,
        **kwargs,
    ):
        super().__init__(seed, **kwargs)
        self.addition_factor = check_range(self, "addition_factor", addition_factor, 0, 1, mirrored=False)
        self.threshold_factor = check_range(self, "threshold_factor", threshold_factor, 0, 1, mirrored=False)
        self.value_range = check_value_range(self, value_range)

    def draw(self, shape):
        u = self.random.uniform((shape[0], 2))
        drawn = {}
        for k, (name, factor) in enumerate(
            (("additions", self.addition_factor), ("thresholds", self.threshold_factor))
        ):
            lower, upper = factor[0], 255 * factor[1]
            drawn[name] = (lower + (upper - lower) * u[:, k]).reshape(-1, 1, 1, 1)
        return drawn

    def transform(self, x, drawn):
        low, high = (x.dtype.type(value) for value in self.value_range)
        unit = (high - low) / 255
        z, inside = clipped((x - low) / unit + drawn["additions"].astype(x.dtype), (0, 255))
        kept = z < drawn["thresholds"].astype(x.dtype)
        return np.where(kept, z, 255 - z) * unit + low, inside * np.where(kept, 1, -1)

    def transform_backward(self, dy, drawn, sign):
        return dy * sign.astype(dy.dtype)  # the two scales cancel
