"""Colours made weaker or stronger at random.

The largest channel v of a pixel is its value, and its saturation is how far down the smallest one m reaches,
s = (v - m) / v. With s' = clip(k s) all channels move in proportion towards v, or away from it, and the hue stays:

    y = v - r (v - x)        r = s' / s

Where nothing is clipped, r is k; so dx = r dy, and v, being the largest channel, gets the sum of (1 - r) dy. Where s'
is cut off at b, r = b v / (v - m), and v and m are told of it, too:

    dr = -sum of dy (v - x)        dv += -dr b m / (v - m)^2        dm += dr b v / (v - m)^2
"""

import numpy as np

from scratchnet import config
from scratchnet.hints import Any, Seed, Sequence
from scratchnet.layers.preprocessing.images.image_layer import (
    RandomImageLayer,
    check_colours,
    check_range,
    check_value_range,
)
from scratchnet.registry import register


@register("layers")
class RandomSaturation(RandomImageLayer):
    """(N, H, W, 3) -> (N, H, W, 3), in training.

    Args:
        factor: f, of which k = f / (1 - f): two numbers in [-1, 1], or one for both signs. 0 and less takes all
            colours away, 0.5 leaves them, 1 makes them as strong as they get.
        value_range: where s' is clipped.
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
        self.factor = check_range(self, "factor", factor, -1, 1)
        self.value_range = check_value_range(self, value_range)

    def image_shape(self, shape):
        return check_colours(self, shape, (3,))

    def draw(self, shape):
        factor = self.uniform(shape[0], *self.factor)[:, 0]
        return {"factor": factor / (1 - factor + config.epsilon())}

    def transform(self, x, drawn):
        k = drawn["factor"].astype(x.dtype)[:, None, None, None]
        v, m = x.max(axis=-1, keepdims=True), x.min(axis=-1, keepdims=True)
        coloured = (v > 0) & (v > m)
        s = np.where(coloured, (v - m) / np.where(coloured, v, 1), 1)
        wanted = np.clip(k * s, *self.value_range)
        r = np.where(coloured, wanted / s, 0)
        return v - r * (v - x), (x, v, m, r, np.where(wanted == k * s, 0, wanted * coloured))

    def transform_backward(self, dy, drawn, kept):
        x, v, m, r, b = kept
        dr = -(dy * (v - x)).sum(axis=-1, keepdims=True)  # y = v - r (v - x)
        slope = dr * b / np.where(v > m, v - m, 1) ** 2  # r = b v / (v - m) where s' was cut off at b
        dv = ((1 - r) * dy).sum(axis=-1, keepdims=True) - slope * m
        return r * dy + dv * _first(x == v) + slope * v * _first(x == m)


def _first(is_it):
    """The first channel of which it is true."""
    return is_it & (is_it.cumsum(axis=-1) == 1)
