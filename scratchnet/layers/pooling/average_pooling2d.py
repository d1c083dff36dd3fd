"""Average pooling: each window is replaced by its mean.

    y[n, i, j, c] = 1 / count[i, j]  sum over a, b of  x[n, S i + a, S j + b, c]

where count is the number of elements of the window that lie inside the image. In the backward pass each of them
receives dy / count.
"""

from typing import NamedTuple

from scratchnet import kernels
from scratchnet.layers.pooling.base_pooling import Pooling2D
from scratchnet.registry import register


class AveragePooling2DCache(NamedTuple):
    x_shape: tuple
    padding: tuple


@register("layers", "AvgPool2D")
class AveragePooling2D(Pooling2D):
    """The mean of each window; padding does not count.

    Args:
        pool_size: (KH, KW), or one number for both.
        strides: how far the window moves; None is `pool_size`.
        padding: "valid", only windows inside the image, or "same", ``ceil(H / stride)`` rows.

    Shapes: (N, H, W, C) -> (N, OH, OW, C).

    Raises:
        ValueError: for sizes that are not positive, or an image smaller than the window.
    """

    def forward(self, x, training=False):
        padding = self.pad_amounts(x)
        y = kernels.average_pool2d_forward(x, self.pool_size, self.strides, padding)
        return y, AveragePooling2DCache(x.shape, padding)

    def backward(self, dy, cache, needs_dx=True):
        return kernels.average_pool2d_backward(dy, cache.x_shape, self.pool_size, self.strides, cache.padding), {}
