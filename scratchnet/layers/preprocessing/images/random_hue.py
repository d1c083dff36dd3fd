"""Colours turned at random, all those of an image by one angle: see `scratchnet.layers.preprocessing.images.hue`."""

import numpy as np

from scratchnet.hints import Any, Seed, Sequence
from scratchnet.layers.preprocessing.images.hue import turn_backward, turn_forward
from scratchnet.layers.preprocessing.images.image_layer import (
    RandomImageLayer,
    check_colours,
    check_range,
    check_value_range,
    clipped,
)
from scratchnet.registry import register


@register("layers")
class RandomHue(RandomImageLayer):
    """(N, H, W, 3) -> (N, H, W, 3), in training.

    Args:
        factor: how far, as a part of half the circle, to either side: two numbers in [0, 1]; one number f stands for
            (0, f).
        value_range: the smallest and the largest value of a pixel.
        data_format: "channels_last" or "channels_first".
        seed: an integer of at least 0 makes the numbers repeatable by themselves.

    Raises ValueError for an invalid factor or range, and for images of other than 3 channels.
    """

    def __init__(
        self,
        factor: Any,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: Seed = None,
        **kwargs,
    ):
        super().__init__(seed, data_format, **kwargs)
        self.factor = check_range(self, "factor", factor, 0, 1, mirrored=False)
        self.value_range = check_value_range(self, value_range)

    def image_shape(self, shape):
        return check_colours(self, shape, (3,))

    def draw(self, shape):
        u = self.random.uniform((shape[0], 2))
        lower, upper = self.factor
        return {"factor": np.where(u[:, 0] > 0.5, -1, 1) * (lower + (upper - lower) * u[:, 1]) / 2}  # of the circle

    def transform(self, x, drawn):
        low, high = self.value_range
        turn = 6 * drawn["factor"].astype(x.dtype)[:, None, None, None]
        z, kept = turn_forward((x - x.dtype.type(low)) / x.dtype.type(high - low), turn)
        y, inside = clipped(z, (0, 1))
        return y * x.dtype.type(high - low) + x.dtype.type(low), (inside, kept)

    def transform_backward(self, dy, drawn, kept):
        inside, kept = kept
        return turn_backward(dy * inside, kept)  # the two scales cancel
