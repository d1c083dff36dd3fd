"""Max pooling: each window is replaced by its largest value.

    y[n, i, j, c] = max over a, b of  x[n, S i + a, S j + b, c]

The derivative is 1 for the largest element (the first of several) and 0 for all others. So each dy goes back to the
place its value came from, and where windows overlap, the contributions to a place are added up (Ranzato et al. 2007;
Scherer, Mueller and Behnke 2010).
"""

from typing import NamedTuple

import numpy as np

from scratchnet import kernels
from scratchnet.hints import IntOrInts
from scratchnet.layers.pooling.base_pooling import Pooling2D
from scratchnet.registry import register


class MaxPooling2DCache(NamedTuple):
    argmax: np.ndarray  # (N, OH, OW, C): which element of its window each y is
    x_shape: tuple
    padding: tuple


@register("layers", "MaxPool2D")
class MaxPooling2D(Pooling2D):
    """The largest value of each window.

    Args:
        pool_size: (KH, KW), or one number for both.
        strides: how far the window moves; None is `pool_size`.
        padding: "valid", only windows inside the image, or "same", ``ceil(H / stride)`` rows.

    Shapes: (N, H, W, C) -> (N, OH, OW, C).

    Raises:
        ValueError: for sizes that are not positive, or an image smaller than the window.
    """

    def __init__(
        self,
        pool_size: IntOrInts = (2, 2),
        strides: IntOrInts | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs,
    ):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)

    def forward(self, x, training=False):
        padding = self.pad_amounts(x)
        y, argmax = kernels.max_pool2d_forward(x, self.pool_size, self.strides, padding)
        return y, MaxPooling2DCache(argmax, x.shape, padding)

    def backward(self, dy, cache, needs_dx=True):
        argmax, x_shape, padding = cache
        return kernels.max_pool2d_backward(dy, argmax, x_shape, self.pool_size, self.strides, padding), {}
