"""Each channel of each image stretched over the whole range of values.

    y = low + (x - m) (high - low) / (M - m)        m and M the channel's smallest and largest pixel

y does not change when all pixels move by the same, or are stretched: m and M get what takes these two out of dx.

    r = (high - low) / (M - m)        dr = sum of dy (x - m)
    dx = r dy        dm = -sum of r dy + dr r / (M - m)        dM = -dr r / (M - m)
"""

import numpy as np

from scratchnet.hints import Sequence
from scratchnet.layers.preprocessing.images.image_layer import ImageLayer, check_value_range
from scratchnet.registry import register


@register("layers")
class AutoContrast(ImageLayer):
    """(N, H, W, C) -> (N, H, W, C), in training and otherwise. A channel that is all the same stays as it is.

    Args:
        value_range: the smallest and the largest value of a pixel.

    Raises ValueError for an invalid range.
    """

    def __init__(self, value_range: Sequence[float] = (0, 255), **kwargs):
        super().__init__(**kwargs)
        self.value_range = check_value_range(self, value_range)

    def transform(self, x, drawn):
        low, high = (x.dtype.type(value) for value in self.value_range)
        m, M = x.min(axis=(1, 2), keepdims=True), x.max(axis=(1, 2), keepdims=True)
        flat = M == m
        r = np.where(flat, 1, (high - low) / np.where(flat, 1, M - m))
        y = np.where(flat, x, np.clip(low + (x - m) * r, low, high))  # what is cut off is rounding
        return y, (x, m, M, r, flat)

    def transform_backward(self, dy, drawn, kept):
        x, m, M, r, flat = kept
        dr = (dy * (x - m)).sum(axis=(1, 2), keepdims=True)
        slope = dr * r / np.where(flat, 1, M - m)  # r = (high - low) / (M - m)
        dm = slope - r * dy.sum(axis=(1, 2), keepdims=True)
        return np.where(flat, dy, r * dy + dm * _first(x == m) - slope * _first(x == M))


def _first(is_it):
    """The first pixel of each channel of which it is true."""
    N, H, W, C = is_it.shape
    flat = is_it.reshape(N, H * W, C)
    return (np.arange(H * W)[:, None] == flat.argmax(axis=1)[:, None]).reshape(is_it.shape)
