"""Global average pooling: one number for each channel, its mean over the image (Lin, Chen and Yan 2014).

y[n, c] = 1 / (H W)  sum over p, q of  x[n, p, q, c]            dx[n, p, q, c] = dy[n, c] / (H W)
"""

from typing import NamedTuple

import numpy as np

from scratchnet.layers.base import Layer
from scratchnet.registry import register


class GlobalAveragePooling2DCache(NamedTuple):
    x_shape: tuple


@register("layers", "GlobalAvgPool2D")
class GlobalAveragePooling2D(Layer):
    """(N, H, W, C) -> (N, C)."""

    absent = {"data_format": (None, "channels_last"), "keepdims": (False,)}

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "NHWC")
        return input_shape[0], input_shape[3]

    def forward(self, x, training=False):
        self.unpack(x, "NHWC")
        return x.mean(axis=(1, 2)), GlobalAveragePooling2DCache(x.shape)

    def backward(self, dy, cache, needs_dx=True):
        N, H, W, C = cache.x_shape
        return np.broadcast_to((dy / dy.dtype.type(H * W))[:, None, None, :], cache.x_shape).copy(), {}
