"""Some images, chosen at random, as negatives: y = high - x, dx = -dy."""

import numpy as np

from scratchnet.hints import Any, Seed, Sequence
from scratchnet.layers.preprocessing.images.image_layer import RandomImageLayer, check_range, check_value_range
from scratchnet.registry import register


@register("layers")
class RandomInvert(RandomImageLayer):
    """(N, H, W, C) -> (N, H, W, C), in training.

    Args:
        factor: the probability, itself drawn between two numbers in [0, 1]; one number f stands for (0, f).
        value_range: the smallest and the largest value of a pixel.
        seed: an integer of at least 0 makes the choice repeatable by itself.
        data_format: "channels_last" or "channels_first".

    Raises ValueError for an invalid factor or range.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        value_range: Sequence[float] = (0, 255),
        seed: Seed = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(seed, data_format, **kwargs)
        self.factor = check_range(self, "factor", factor, 0, 1, mirrored=False)
        self.value_range = check_value_range(self, value_range)

    def draw(self, shape):
        return {"apply_inversion": self.chosen(shape[0], self.factor)}

    def transform(self, x, drawn):
        chosen = drawn["apply_inversion"][:, None, None, None]
        return np.where(chosen, x.dtype.type(self.value_range[1]) - x, x), None

    def transform_backward(self, dy, drawn, kept):
        return np.where(drawn["apply_inversion"][:, None, None, None], -dy, dy)
