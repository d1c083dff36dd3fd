"""Half of the images, chosen at random, flipped: left for right, upside down, or both."""

import numpy as np

from scratchnet.hints import Seed
from scratchnet.layers.preprocessing.images.image_layer import RandomImageLayer
from scratchnet.registry import register

_AXES = {"horizontal": (2,), "vertical": (1,), "horizontal_and_vertical": (1, 2)}


@register("layers")
class RandomFlip(RandomImageLayer):
    """(N, H, W, C) -> (N, H, W, C), in training.

    Args:
        mode: "horizontal", "vertical" or "horizontal_and_vertical": an image is flipped both ways, or not at all.
        seed: an integer of at least 0 makes the choice repeatable by itself.
        data_format: "channels_last" or "channels_first".

    Raises ValueError for another mode.
    """

    def __init__(
        self, mode: str = "horizontal_and_vertical", seed: Seed = None, data_format: str | None = None, **kwargs
    ):
        super().__init__(seed, data_format, **kwargs)
        if mode not in _AXES:
            raise self.error(f"mode must be one of {', '.join(_AXES)}, got {mode!r}")
        self.mode = mode

    def draw(self, shape):
        return {"flips": self.random.uniform((shape[0], 1, 1, 1)) <= 0.5}

    def transform(self, x, drawn):
        return np.where(drawn["flips"], np.flip(x, _AXES[self.mode]), x), None

    transform_segmentation_masks = RandomImageLayer.transform_images

    def transform_backward(self, dy, drawn, kept):
        return np.where(drawn["flips"], np.flip(dy, _AXES[self.mode]), dy)  # flipped twice is as before
