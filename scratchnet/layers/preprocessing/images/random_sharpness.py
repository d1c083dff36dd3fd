"""Images sharper or softer at random: away from a smoothed version, or towards it.

    z = x + (1 - 2 f) (smooth(x) - x)        y = clip(z)

smooth is a mean over 3 x 3 pixels in which the one in the middle counts 5 of 13 parts, with nothing beyond the border.
It is symmetric, so that dx = 2 f dz + (1 - 2 f) smooth(dz).
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
class RandomSharpness(RandomImageLayer):
    """(N, H, W, C) -> (N, H, W, C), in training.

    Args:
        factor: f, drawn between two numbers in [0, 1]; one number f stands for (0, f). 0 is smooth, 0.5 as it is, 1
            sharp.
        value_range: the smallest and the largest value of a pixel.
        data_format: "channels_last" or "channels_first".
        seed: an integer of at least 0 makes the numbers repeatable by themselves.

    Raises ValueError for an invalid factor or range.
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

    def draw(self, shape):
        return {"factor": self.uniform(shape[0], *self.factor)[:, 0]}

    def transform(self, x, drawn):
        f = drawn["factor"].astype(x.dtype).reshape(-1, 1, 1, 1)
        return clipped(x + (1 - 2 * f) * (_smooth(x) - x), self.value_range)

    def transform_backward(self, dy, drawn, inside):
        f = drawn["factor"].astype(dy.dtype).reshape(-1, 1, 1, 1)
        dz = dy * inside  # y = clip(z)
        return 2 * f * dz + (1 - 2 * f) * _smooth(dz)


def _smooth(x):
    _, H, W, _ = x.shape
    wide = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    around = sum(wide[:, i : i + H, j : j + W] for i in range(3) for j in range(3))
    return (around + 4 * x) / 13
