"""Upsampling of sequences and volumes: every step, or cell, stands several times; the adjoint adds up what comes back.

A sequence is an image one pixel wide. A volume is upsampled slice by slice, then along its depth with each column of
pixels as one pixel of an image:

    (N, T, C)       -> (N, T, 1, C)
    (N, D, H, W, C) -> (N D, H, W, C) -> (N, D, OH OW, C)
"""

from scratchnet import kernels
from scratchnet.checks import check_data_format, check_positive_int, check_sizes
from scratchnet.hints import IntOrInts
from scratchnet.layers.base import Layer
from scratchnet.layers.channels import ChannelsFirstToo
from scratchnet.layers.reshaping.up_sampling2d import enlarged
from scratchnet.registry import register


@register("layers")
class UpSampling1D(Layer):
    """(N, T, C) -> (N, T S, C).

    Args:
        size: S, how often each step stands.

    Raises ValueError for a size that is not positive.
    """

    keeps_integers = True

    def __init__(self, size: IntOrInts = 2, **kwargs):
        super().__init__(**kwargs)
        self.size = check_positive_int(self, "size", size)

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "NTC")
        N, T, C = input_shape
        return N, None if T is None else T * self.size, C

    def forward(self, x, training=False):
        N, T, C = self.unpack(x, "NTC")
        return enlarged(x[:, :, None], (self.size, 1))[:, :, 0], None

    def backward(self, dy, cache, needs_dx=True):
        return kernels.upsample2d_backward(dy[:, :, None], (self.size, 1))[:, :, 0], {}


@register("layers")
class UpSampling3D(ChannelsFirstToo):
    """(N, D, H, W, C) -> (N, D SD, H SH, W SW, C).

    Args:
        size: (SD, SH, SW), or one number for all.
        data_format: "channels_last" or "channels_first".

    Raises ValueError for a size that is not positive.
    """

    axes = "DHW"
    keeps_integers = True

    def __init__(self, size: IntOrInts = (2, 2, 2), data_format: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.size = check_sizes(self, "size", size, 3)
        self.data_format = check_data_format(self, data_format)

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "NDHWC")
        N, *sizes, C = input_shape
        return N, *(None if n is None else n * s for n, s in zip(sizes, self.size)), C

    def forward(self, x, training=False):
        N, D, H, W, C = self.unpack(x, "NDHWC")
        SD, *S = self.size
        y = enlarged(x.reshape(N * D, H, W, C), S)
        y = enlarged(y.reshape(N, D, -1, C), (SD, 1))
        return y.reshape(self.compute_output_shape(x.shape)), (N, D, H, W, C)

    def backward(self, dy, cache, needs_dx=True):
        N, D, H, W, C = cache
        SD, *S = self.size
        d = kernels.upsample2d_backward(dy.reshape(N, D * SD, -1, C), (SD, 1))
        d = kernels.upsample2d_backward(d.reshape(N * D, H * S[0], W * S[1], C), S)
        return d.reshape(cache), {}
