"""Upsampling of images: every pixel becomes a block of equal ones, or the new pixels lie on a surface through the old.

    nearest:  y[n, i, j, c] = x[n, i // SH, j // SW, c]            dx = the sum of dy over each block
    others:   y = A x B^T                                          dx = A^T dy B

A (OH, H) and B (OW, W) hold the weights with which new rows and columns are made of old ones, see
`scratchnet.interpolation`.
"""

from scratchnet import kernels
from scratchnet.checks import check_data_format, check_pair
from scratchnet.hints import IntOrInts
from scratchnet.interpolation import INTERPOLATIONS, resize, resize_adjoint
from scratchnet.layers.channels import ChannelsFirstToo
from scratchnet.registry import register


@register("layers")
class UpSampling2D(ChannelsFirstToo):
    """(N, H, W, C) -> (N, H SH, W SW, C).

    Args:
        size: (SH, SW), or one number for both.
        data_format: "channels_last" or "channels_first".
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".

    Raises ValueError for a size that is not positive, and an unknown interpolation.
    """

    axes = "HW"

    def __init__(
        self, size: IntOrInts = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs
    ):
        super().__init__(**kwargs)
        self.size = check_pair(self, "size", size)
        self.data_format = check_data_format(self, data_format)
        if interpolation not in INTERPOLATIONS:
            raise self.error(f"interpolation must be one of {', '.join(INTERPOLATIONS)}, got {interpolation!r}")
        self.interpolation = interpolation
        self.keeps_integers = interpolation == "nearest"

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "NHWC")
        N, H, W, C = input_shape
        return N, *(None if n is None else n * s for n, s in zip((H, W), self.size)), C

    def forward(self, x, training=False):
        N, H, W, C = self.unpack(x, "NHWC")
        if self.interpolation == "nearest":
            return enlarged(x, self.size), (H, W)
        return resize(x, (H * self.size[0], W * self.size[1]), self.interpolation), (H, W)

    def backward(self, dy, cache, needs_dx=True):
        if self.interpolation == "nearest":
            return kernels.upsample2d_backward(dy, self.size), {}
        return resize_adjoint(dy, cache, self.interpolation), {}


def enlarged(x, size):
    """Every pixel of x (N, H, W, C) as a block of equal ones; integers stay integers."""
    if x.dtype.kind == "f":
        return kernels.upsample2d_forward(x, size)
    return x.repeat(size[0], axis=1).repeat(size[1], axis=2)
