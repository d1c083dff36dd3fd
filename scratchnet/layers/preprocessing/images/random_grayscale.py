"""Some images, chosen at random, without colour: each channel as the brightness that an eye sees.

    y = 0.2989 red + 0.587 green + 0.114 blue        dred = 0.2989 (sum of dy over the channels), ...

The weights are those of television (ITU-R BT.601).
"""

import numpy as np

from scratchnet.checks import check_bounds
from scratchnet.layers.preprocessing.images.image_layer import RandomImageLayer, check_colours
from scratchnet.registry import register

BRIGHTNESS = (0.2989, 0.5870, 0.1140)


@register("layers")
class RandomGrayscale(RandomImageLayer):
    """(N, H, W, 3) -> (N, H, W, 3), in training.

    Args:
        factor: the probability, in [0, 1].
        data_format: "channels_last" or "channels_first".
        seed: an integer of at least 0 makes the choice repeatable by itself.

    Raises ValueError for a factor that is none, and for images of other than 3 channels, or 1, which stay as they are.
    """

    def __init__(self, factor=0.5, data_format=None, seed=None, **kwargs):
        super().__init__(seed, data_format, **kwargs)
        self.factor = check_bounds(f'{type(self).__name__} "{self.name}"', "factor", factor, at_least=0, at_most=1)

    def image_shape(self, shape):
        return check_colours(self, shape)

    def draw(self, shape):
        return {"should_apply": self.random.uniform((shape[0], 1, 1, 1)) < self.factor}

    def transform(self, x, drawn):
        return np.where(drawn["should_apply"], _brightness(x), x), None

    def transform_backward(self, dy, drawn, kept):
        gray = dy if dy.shape[-1] == 1 else dy.sum(axis=-1, keepdims=True) * np.asarray(BRIGHTNESS, dy.dtype)
        return np.where(drawn["should_apply"], gray, dy)


def _brightness(x):
    return x if x.shape[-1] == 1 else x @ np.asarray(BRIGHTNESS, x.dtype)[:, None]
