"""Images made brighter or darker at random: y = clip(x + d), with one d for all pixels of an image. dx = dy where y is
not cut off.
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
class RandomBrightness(RandomImageLayer):
    """(N, H, W, C) -> (N, H, W, C), in training.

    Args:
        factor: d, as a part of the range of values: two numbers in [-1, 1], or one for both signs.
        value_range: the smallest and the largest value of a pixel.
        seed: an integer of at least 0 makes the numbers repeatable by themselves.

    Raises ValueError for an invalid factor or range.
    """

    def __init__(self, factor: Any, value_range: Sequence[float] = (0, 255), seed: Seed = None, **kwargs):
        super().__init__(seed, **kwargs)
        self.factor = check_range(self, "factor", factor, -1, 1)
        self.value_range = check_value_range(self, value_range)

    def draw(self, shape):
        low, high = self.value_range
        return {"rgb_delta": self.uniform(shape[0], *self.factor).reshape(-1, 1, 1, 1) * (high - low)}

    def transform(self, x, drawn):
        return clipped(x + drawn["rgb_delta"].astype(x.dtype), self.value_range)

    def transform_backward(self, dy, drawn, inside):
        return dy * inside
