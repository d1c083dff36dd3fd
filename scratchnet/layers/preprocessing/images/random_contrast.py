"""Images with more or less contrast at random: each pixel moves away from the mean of its channel, or towards it.

    z = c (x - mean) + mean        y = clip(z)
    dz = dy where y is not cut off        dx = c dz + (1 - c) mean(dz)

c is one for all pixels of an image, the means are over its pixels.
"""

from scratchnet.hints import Any, Seed, Sequence
from scratchnet.layers.preprocessing.images.image_layer import (
    RandomImageLayer,
    check_range,
    check_value_range,
    clipped,
)
from scratchnet.registry import register


@register("layers")
class RandomContrast(RandomImageLayer):
    """(N, H, W, C) -> (N, H, W, C), in training.

    Args:
        factor: two numbers (f, g) in [0, 1]: c is between 1 - f and 1 + g; one number g stands for (0, g).
        value_range: the smallest and the largest value of a pixel.
        seed: an integer of at least 0 makes the numbers repeatable by themselves.

    Raises ValueError for an invalid factor or range.
    """

    def __init__(self, factor: Any, value_range: Sequence[float] = (0, 255), seed: Seed = None, **kwargs):
        super().__init__(seed, **kwargs)
        self.factor = check_range(self, "factor", factor, 0, 1, mirrored=False)
        self.value_range = check_value_range(self, value_range)

    def draw(self, shape):
        lower, upper = self.factor
        return {"contrast_factor": self.uniform(shape[0], 1 - lower, 1 + upper).reshape(-1, 1, 1, 1)}

    def transform(self, x, drawn):
        c = drawn["contrast_factor"].astype(x.dtype)
        mean = x.mean(axis=(1, 2), keepdims=True)
        return clipped(c * (x - mean) + mean, self.value_range)

    def transform_backward(self, dy, drawn, inside):
        c = drawn["contrast_factor"].astype(dy.dtype)
        dz = dy * inside  # y = clip(z)
        return c * dz + (1 - c) * dz.mean(axis=(1, 2), keepdims=True)  # z = c (x - mean) + mean
