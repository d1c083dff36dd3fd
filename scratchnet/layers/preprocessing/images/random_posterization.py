"""Images with fewer shades at random: of the eight bits of a pixel, on a scale from 0 to 255, some of the last are 0.

Between two shades nothing changes, and there it jumps: dx is 0.
"""

import numpy as np

from scratchnet.hints import Any, Seed, Sequence
from scratchnet.layers.preprocessing.images.image_layer import RandomImageLayer, check_value_range
from scratchnet.registry import register

_BITS = 8


@register("layers")
class RandomPosterization(RandomImageLayer):
    """(N, H, W, C) -> (N, H, W, C), in training.

    Args:
        factor: how many bits are kept: an integer from 1 to 8, or two; of these the larger is not drawn.
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
        pair = tuple(factor) if isinstance(factor, (tuple, list)) else (1, factor)
        if len(pair) != 2 or any(not 1 <= bits <= _BITS or bits != int(bits) for bits in pair):
            raise self.error(f"factor must be an integer from 1 to 8, or two, got {factor!r}")
        self.factor = tuple(sorted(int(bits) for bits in pair))
        self.value_range = check_value_range(self, value_range)

    def draw(self, shape):
        fewest, most = self.factor
        bits = np.floor(self.uniform(shape[0], fewest, max(most, fewest))).astype(np.uint8)[:, 0]
        return {"shift_factor": _BITS - bits}

    def transform(self, x, drawn):
        low, high = (x.dtype.type(value) for value in self.value_range)
        unit = (high - low) / 255
        shift = drawn["shift_factor"].astype(np.uint8).reshape(-1, 1, 1, 1)
        shades = ((x - low) / unit).astype(np.uint8) >> shift << shift
        return shades.astype(x.dtype) * unit + low, None

    def transform_backward(self, dy, drawn, kept):
        return np.zeros_like(dy)
