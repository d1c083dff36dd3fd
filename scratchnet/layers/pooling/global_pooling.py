"""Global pooling: one number for each channel, the mean or the largest value over all places (Lin, Chen and Yan 2014).

    mean:     y[n, c] = 1 / M  sum over p of  x[n, p, c]            dx[n, p, c] = dy[n, c] / M
    largest:  y[n, c] = max over p of  x[n, p, c]                   dx[n, p, c] = dy[n, c] where x is the largest

p runs over the M steps of a sequence, the pixels of an image or the cells of a volume. If several values are the
largest, they share dy equally.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from scratchnet import kernels
from scratchnet.checks import check_data_format
from scratchnet.kernels.geometry import places
from scratchnet.layers.channels import ChannelsFirstToo
from scratchnet.registry import register


class GlobalAverageCache(NamedTuple):
    x_shape: tuple
    weights: Any  # what share of dy each step gets, (N, T, 1), where there is a mask; else None


class GlobalMaxCache(NamedTuple):
    x: np.ndarray
    y: np.ndarray  # (N, C)


class GlobalPooling(ChannelsFirstToo):
    """Base of the six. `axes`: letters of the axes that are pooled."""

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.data_format = check_data_format(self, data_format)
        self.keepdims = bool(keepdims)

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, f"N{self.axes}C")
        ones = [1] * len(self.axes) if self.keepdims else []
        return input_shape[0], *ones, input_shape[-1]

    def _pooled_axes(self, x):
        self.unpack(x, f"N{self.axes}C")
        return tuple(range(1, x.ndim - 1))


class _GlobalAveragePooling(GlobalPooling):
    def forward(self, x, training=False):
        axes = self._pooled_axes(x)
        y = kernels.global_average_forward(places(x))
        return np.expand_dims(y, axes) if self.keepdims else y, GlobalAverageCache(x.shape, None)

    def backward(self, dy, cache, needs_dx=True):
        N, *sizes, C = cache.x_shape
        if cache.weights is not None:
            return dy.reshape(N, 1, C) * cache.weights, {}
        return kernels.global_average_backward(dy.reshape(N, C), math.prod(sizes)).reshape(cache.x_shape), {}


class _GlobalMaxPooling(GlobalPooling):
    def forward(self, x, training=False):
        axes = self._pooled_axes(x)
        y = kernels.global_max_forward(places(x))
        return np.expand_dims(y, axes) if self.keepdims else y, GlobalMaxCache(x, y)

    def backward(self, dy, cache, needs_dx=True):
        x, y = cache
        return kernels.global_max_backward(dy.reshape(y.shape), places(x), y).reshape(x.shape), {}


@register("layers", "GlobalAvgPool1D")
class GlobalAveragePooling1D(_GlobalAveragePooling):
    """(N, T, C) -> (N, C): the mean over all steps; masked steps do not count.

    Args:
        data_format: "channels_last" or "channels_first".
        keepdims: whether the pooled axis stays, with size 1.
    """

    axes = "T"
    supports_masking = True

    def __call__(self, inputs, mask=None, training=None, **options):
        return super().__call__(inputs, training, mask, **options)

    def forward(self, x, training=False, mask=None):
        if mask is None:
            return super().forward(x, training)
        self._pooled_axes(x)
        counted = mask.astype(x.dtype)
        weights = (counted / np.maximum(counted.sum(axis=1, keepdims=True), 1))[:, :, np.newaxis]  # (N, T, 1)
        return (x * weights).sum(axis=1, keepdims=self.keepdims), GlobalAverageCache(x.shape, weights)

    def output_masked(self, masked):
        return False


@register("layers", "GlobalMaxPool1D")
class GlobalMaxPooling1D(_GlobalMaxPooling):
    """(N, T, C) -> (N, C): the largest value of all steps. Arguments as `GlobalAveragePooling1D`."""

    axes = "T"


@register("layers", "GlobalAvgPool2D")
class GlobalAveragePooling2D(_GlobalAveragePooling):
    """(N, H, W, C) -> (N, C): the mean of all pixels. Arguments as `GlobalAveragePooling1D`."""

    axes = "HW"


@register("layers", "GlobalMaxPool2D")
class GlobalMaxPooling2D(_GlobalMaxPooling):
    """(N, H, W, C) -> (N, C): the largest value of all pixels. Arguments as `GlobalAveragePooling1D`."""

    axes = "HW"


@register("layers", "GlobalAvgPool3D")
class GlobalAveragePooling3D(_GlobalAveragePooling):
    """(N, D, H, W, C) -> (N, C): the mean of all cells. Arguments as `GlobalAveragePooling1D`."""

    axes = "DHW"


@register("layers", "GlobalMaxPool3D")
class GlobalMaxPooling3D(_GlobalMaxPooling):
    """(N, D, H, W, C) -> (N, C): the largest value of all cells. Arguments as `GlobalAveragePooling1D`."""

    axes = "DHW"
