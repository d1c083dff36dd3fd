"""Average pooling: of each window the mean goes on.

    y[n, i, j, c] = 1 / count[i, j]  sum over a, b of  x[n, S i + a, S j + b, c]

where count is the number of elements of the window that lie inside the image. The adjoint hands dy / count to each of
them.
"""

from typing import NamedTuple

from scratchnet import kernels
from scratchnet.layers.pooling import Pooling2D


class AveragePooling2DCache(NamedTuple):
    x_shape: tuple
    padding: tuple


class AveragePooling2D(Pooling2D):
    __doc__ = f"""The mean of each window.\n\n{Pooling2D.__doc__.split(chr(10), 2)[2]}"""

    def forward(self, x, training=False):
        padding = self.pad_amounts(x)
        y = kernels.average_pool2d_forward(x, self.pool_size, self.strides, padding)
        return y, AveragePooling2DCache(x.shape, padding)

    def backward(self, dy, cache):
        return kernels.average_pool2d_backward(dy, cache.x_shape, self.pool_size, self.strides, cache.padding), {}
