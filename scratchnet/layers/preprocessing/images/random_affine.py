"""What layers share that move, turn or stretch images at random: from what they draw to an affine map."""

import copy

import numpy as np

from scratchnet.hints import Seed
from scratchnet.layers.preprocessing.images.affine import FILL_MODES, INTERPOLATIONS, affine_backward, affine_forward
from scratchnet.layers.preprocessing.images.image_layer import RandomImageLayer


class RandomAffine(RandomImageLayer):
    """Base of `RandomTranslation`, `RandomRotation`, `RandomZoom` and `RandomShear`. A subclass defines `matrices`.

    Args:
        fill_mode: what is seen where there is no pixel: "reflect", "wrap", "constant" or "nearest".
        interpolation: "bilinear" or "nearest".
        fill_value: what is seen with "constant".
    """

    def __init__(
        self, fill_mode: str, interpolation: str, fill_value: float, seed: Seed, data_format: str | None, **kwargs
    ):
        super().__init__(seed, data_format, **kwargs)
        if fill_mode not in FILL_MODES:
            raise self.error(f"fill_mode must be one of {', '.join(FILL_MODES)}, got {fill_mode!r}")
        if interpolation not in INTERPOLATIONS:
            raise self.error(f"interpolation must be one of {', '.join(INTERPOLATIONS)}, got {interpolation!r}")
        self.fill_mode = fill_mode
        self.interpolation = interpolation
        self.fill_value = fill_value

    def matrices(self, drawn, H, W):
        """a0, a1, a2, b0, b1, b2 of each image: where in the old image a pixel (X, Y) of the new one lies."""
        raise NotImplementedError(f"{type(self).__name__} defines no matrices")

    def transform(self, x, drawn):
        matrices = np.stack(np.broadcast_arrays(*self.matrices(drawn, *x.shape[1:3])), axis=-1)  # (N, 6)
        return affine_forward(x, matrices, self.interpolation, self.fill_mode, self.fill_value)

    def transform_backward(self, dy, drawn, kept):
        return affine_backward(dy, kept)

    def transform_segmentation_masks(self, segmentation_masks, transformation, training=True):
        twin = copy.copy(self)
        twin.interpolation = "nearest"
        return twin.transform_images(segmentation_masks, transformation)
