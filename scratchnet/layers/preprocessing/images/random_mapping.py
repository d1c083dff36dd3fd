"""What layers share that move, turn, tilt or bend images at random: from what they draw to what is seen where."""

import copy

import numpy as np

from scratchnet.hints import Seed
from scratchnet.layers.preprocessing.images.image_layer import RandomImageLayer
from scratchnet.layers.preprocessing.images.mapping import (
    FILL_MODES,
    INTERPOLATIONS,
    affine_places,
    map_backward,
    map_forward,
)


class RandomMapping(RandomImageLayer):
    """Base of layers that look at an image through a map. A subclass defines `places`.

    Args:
        fill_mode: what is seen where there is no pixel: "reflect", "wrap", "constant" or "nearest".
        interpolation: "bilinear" or "nearest".
        fill_value: what is seen with "constant".
    """

    fill_modes = FILL_MODES

    def __init__(
        self, fill_mode: str, interpolation: str, fill_value: float, seed: Seed, data_format: str | None, **kwargs
    ):
        super().__init__(seed, data_format, **kwargs)
        if fill_mode not in self.fill_modes:
            raise self.error(f"fill_mode must be one of {', '.join(self.fill_modes)}, got {fill_mode!r}")
        if interpolation not in INTERPOLATIONS:
            raise self.error(f"interpolation must be one of {', '.join(INTERPOLATIONS)}, got {interpolation!r}")
        self.fill_mode = fill_mode
        self.interpolation = interpolation
        self.fill_value = fill_value

    def places(self, drawn, H, W):
        """``(rows, columns)``, (N, H, W) each: what of the old image is seen at a pixel of the new one."""
        raise NotImplementedError(f"{type(self).__name__} defines no places")

    def transform(self, x, drawn):
        rows, columns = self.places(drawn, *x.shape[1:3])
        return map_forward(x, rows, columns, self.interpolation, self.fill_mode, self.fill_value)

    def transform_backward(self, dy, drawn, kept):
        return map_backward(dy, kept)

    def transform_segmentation_masks(self, segmentation_masks, transformation, training=True):
        twin = copy.copy(self)
        twin.interpolation = "nearest"
        return twin.transform_images(segmentation_masks, transformation)


class RandomAffine(RandomMapping):
    """Base of `RandomTranslation`, `RandomRotation`, `RandomZoom` and `RandomShear`. A subclass defines `matrices`.

    Arguments as `RandomMapping`.
    """

    def matrices(self, drawn, H, W):
        """a0, a1, a2, b0, b1, b2 of each image: where in the old image a pixel (X, Y) of the new one lies."""
        raise NotImplementedError(f"{type(self).__name__} defines no matrices")

    def places(self, drawn, H, W):
        matrices = np.stack(np.broadcast_arrays(*self.matrices(drawn, H, W)), axis=-1)  # (N, 6)
        return affine_places(matrices, H, W)
