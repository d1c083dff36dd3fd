"""Nearest-neighbour upsampling: every pixel becomes a block of equal pixels.

    y[n, i, j, c] = x[n, i // SH, j // SW, c]

The adjoint of copying a pixel SH SW times is the sum over the copies: dx is the sum of dy over each block.
"""

from scratchnet import kernels
from scratchnet.checks import check_pair
from scratchnet.layers.base import Layer
from scratchnet.registry import register


@register("layers")
class UpSampling2D(Layer):
    """(N, H, W, C) -> (N, H SH, W SW, C).

    Args:
        size: (SH, SW), or one number for both.
    """

    absent = {"data_format": (None, "channels_last"), "interpolation": ("nearest",)}

    def __init__(self, size=(2, 2), **kwargs):
        super().__init__(**kwargs)
        self.size = check_pair(self, "size", size)

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "NHWC")
        N, H, W, C = input_shape
        return N, *(None if n is None else n * s for n, s in zip((H, W), self.size)), C

    def forward(self, x, training=False):
        self.unpack(x, "NHWC")
        return kernels.upsample2d_forward(x, self.size), None

    def backward(self, dy, cache, needs_dx=True):
        return kernels.upsample2d_backward(dy, self.size), {}
