"""Some images, chosen at random, without colour: each channel becomes the brightness of the pixel."""

import numpy as np

from scratchnet.checks import check_bounds
from scratchnet.hints import Seed
from scratchnet.layers.preprocessing.images.grey import grey, grey_backward
from scratchnet.layers.preprocessing.images.image_layer import RandomImageLayer, check_colours
from scratchnet.registry import register


@register("layers")
class RandomGrayscale(RandomImageLayer):
    """(N, H, W, 3) -> (N, H, W, 3), in training.

    Args:
        factor: the probability, in [0, 1].
        data_format: "channels_last" or "channels_first".
        seed: an integer of at least 0 makes the choice repeatable by itself.

    Raises ValueError for an invalid factor, and for images of other than 3 channels, or 1, which stay as they are.
    """

    def __init__(self, factor: float = 0.5, data_format: str | None = None, seed: Seed = None, **kwargs):
        super().__init__(seed, data_format, **kwargs)
        self.factor = check_bounds(f'{type(self).__name__} "{self.name}"', "factor", factor, at_least=0, at_most=1)

    def image_shape(self, shape):
        return check_colours(self, shape)

    def draw(self, shape):
        return {"should_apply": self.random.uniform((shape[0], 1, 1, 1)) < self.factor}

    def transform(self, x, drawn):
        return np.where(drawn["should_apply"], grey(x), x), None

    def transform_backward(self, dy, drawn, kept):
        return np.where(drawn["should_apply"], grey_backward(dy), dy)
