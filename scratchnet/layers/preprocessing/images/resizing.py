"""Images of another size: y = A x B^T with the weights of `scratchnet.interpolation`, so dx = A^T dy B.

Where the proportions of the sides are to stay, the largest part in the middle that has the new ones is cut out first,
or borders are added.
"""

import copy
from typing import NamedTuple

import numpy as np

from scratchnet.checks import check_positive_int
from scratchnet.graph.symbolic import is_symbolic
from scratchnet.interpolation import INTERPOLATIONS, middle
from scratchnet.layers.preprocessing.images.cutting import cut, cut_adjoint
from scratchnet.layers.preprocessing.images.image_layer import ImageLayer
from scratchnet.registry import register


class Kept(NamedTuple):
    borders: tuple  # rows above and below, columns to both sides
    part: tuple  # what is then resized: top, left, height, width
    padded: tuple  # the size of the images with borders


@register("layers")
class Resizing(ImageLayer):
    """(N, H, W, C) -> (N, height, width, C).

    Args:
        height, width: the new sizes.
        interpolation: "bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian" or "mitchellcubic".
        crop_to_aspect_ratio: whether the middle of the right proportions is cut out first.
        pad_to_aspect_ratio: whether borders are added instead, of `fill_value`.
        fill_mode: "constant".
        fill_value: of the borders.
        antialias: whether to smooth what is too fine for the new pixels.
        data_format: "channels_last" or "channels_first".

    Called by hand on integers it returns integers, rounded.

    Raises ValueError for sizes that are not positive, an unknown interpolation, and both ways of keeping proportions.
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(data_format, **kwargs)
        self.height = check_positive_int(self, "height", height)
        self.width = check_positive_int(self, "width", width)
        if interpolation not in INTERPOLATIONS:
            raise self.error(f"interpolation must be one of {', '.join(INTERPOLATIONS)}, got {interpolation!r}")
        if fill_mode != "constant":
            raise self.error(f'fill_mode must be "constant", got {fill_mode!r}')
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise self.error("crop_to_aspect_ratio and pad_to_aspect_ratio exclude one another")
        self.interpolation = interpolation
        self.crop_to_aspect_ratio = bool(crop_to_aspect_ratio)
        self.pad_to_aspect_ratio = bool(pad_to_aspect_ratio)
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self.antialias = bool(antialias)

    def __call__(self, inputs, training=None, **options):
        y = super().__call__(inputs, training, **options)
        if isinstance(inputs, dict) or is_symbolic(y) or np.asarray(inputs).dtype.kind not in "iu":
            return y
        dtype = np.asarray(inputs).dtype
        return np.clip(np.round(y), np.iinfo(dtype).min, np.iinfo(dtype).max).astype(dtype)

    def image_shape(self, shape):
        return shape[0], self.height, self.width, shape[3]

    def transform(self, x, drawn):
        N, H, W, C = x.shape
        size = (self.height, self.width)
        top = left = 0
        if self.pad_to_aspect_ratio:
            top = (max(H, W * size[0] // size[1]) - H) // 2
            left = (max(W, H * size[1] // size[0]) - W) // 2
            x = np.pad(x, ((0, 0), (top, top), (left, left), (0, 0)), constant_values=self.fill_value)
        padded = x.shape[1:3]
        part = middle(*padded, size) if self.crop_to_aspect_ratio else (0, 0, *padded)
        y = cut(x, part, size, self.interpolation, self.antialias)
        return y, Kept((top, left), part, padded)

    def transform_backward(self, dy, drawn, kept):
        (top, left), part, (H, W) = kept
        dx = cut_adjoint(dy, part, (H, W), self.interpolation, self.antialias)
        return dx[:, top : H - top, left : W - left]

    def transform_segmentation_masks(self, segmentation_masks, transformation, training=True):
        twin = copy.copy(self)
        twin.interpolation = "nearest"
        return twin.transform_images(segmentation_masks, transformation)
