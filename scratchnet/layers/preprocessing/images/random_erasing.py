"""A rectangle of some images, chosen at random, wiped out, so that no one part of them can be relied on alone.

    y = fill inside the rectangle, x elsewhere        dx = 0 inside, dy elsewhere

(Zhong et al., "Random erasing data augmentation", 2020)
"""

import numpy as np

from scratchnet.hints import Any, Seed, Sequence
from scratchnet.layers.preprocessing.images.boxes import random_box
from scratchnet.layers.preprocessing.images.image_layer import RandomImageLayer, check_range, check_value_range
from scratchnet.registry import register


@register("layers")
class RandomErasing(RandomImageLayer):
    """(N, H, W, C) -> (N, H, W, C), in training.

    Args:
        factor: the probability, itself drawn between two numbers in [0, 1]; one number f stands for (0, f).
        scale: how large: the root of a number drawn between these two is the part of the width, of another one that of
            the height.
        fill_value: what is there then: a number, one for each channel, or None for noise: the largest value times a
            normal number.
        value_range: the smallest and the largest value of a pixel.
        seed: an integer of at least 0 makes the numbers repeatable by themselves.
        data_format: "channels_last" or "channels_first".

    Raises ValueError for an invalid factor or range.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Sequence[float] = (0, 255),
        seed: Seed = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(seed, data_format, **kwargs)
        self.factor = check_range(self, "factor", factor, 0, 1, mirrored=False)
        self.scale = check_range(self, "scale", scale, 0, 1, mirrored=False)
        self.fill_value = fill_value
        self.value_range = check_value_range(self, value_range)

    def draw(self, shape):
        N, H, W, _ = shape
        u = self.random.uniform((N, 4))
        lower, upper = self.scale
        part_of_width, part_of_height = np.sqrt(lower + (upper - lower) * u[:, :2]).T
        noise = self.value_range[1] * self.random.normal(shape) if self.fill_value is None else self.fill_value
        return {
            "apply_erasing": self.chosen(N, self.factor),
            "batch_masks": random_box(part_of_width, part_of_height, u[:, 2:], H, W)[0],
            "fill_value": np.clip(np.asarray(noise), *self.value_range),
        }

    def transform(self, x, drawn):
        return np.where(_erased(drawn), np.asarray(drawn["fill_value"], x.dtype), x), None

    def transform_backward(self, dy, drawn, kept):
        return np.where(_erased(drawn), dy.dtype.type(0), dy)


def _erased(drawn):
    return drawn["batch_masks"] & drawn["apply_erasing"][:, None, None, None]
