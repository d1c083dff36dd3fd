"""The first capsules of an image: a convolution whose channels are taken together in vectors, which are squashed.

    s = x * W + b, (N, OH, OW, M K)  ->  (N, OH OW M, K)        v = squash(s)

(Sabour, Frosst and Hinton, "Dynamic routing between capsules", 2017, section 4.) dv goes back through squash, and then
through the convolution.
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.checks import check_positive_int
from scratchnet.hints import IntOrInts
from scratchnet.layers.capsules.squash import squash, squash_backward
from scratchnet.layers.convolutional.conv2d import Conv2D
from scratchnet.registry import register


class PrimaryCapsulesCache(NamedTuple):
    s: np.ndarray  # (N, I, K)
    convolution: Any  # its cache


@register("layers")
class PrimaryCapsules(Conv2D):
    """A convolution that gives capsules.

    Args:
        channels: M, how many capsules there are at each place.
        dim_capsule: K, the size of their vectors.
        kernel_size, strides, padding and the rest: as of `Conv2D`, without an activation.

    Shapes: (N, H, W, C) -> (N, OH OW M, K).

    Raises ValueError as `Conv2D` does.
    """

    def __init__(
        self,
        channels: int,
        dim_capsule: int,
        kernel_size: IntOrInts,
        strides: IntOrInts | None = (1, 1),
        padding: str = "valid",
        **kwargs,
    ):
        filters = kwargs.pop("filters", None) or channels * dim_capsule
        super().__init__(filters, kernel_size, strides, padding, **kwargs)
        self.channels = check_positive_int(self, "channels", channels)
        self.dim_capsule = check_positive_int(self, "dim_capsule", dim_capsule)

    def compute_output_shape(self, input_shape):
        N, OH, OW, _ = super().compute_output_shape(input_shape)
        return N, None if None in (OH, OW) else OH * OW * self.channels, self.dim_capsule

    def forward(self, x, training=False):
        z, convolution = super().forward(x, training)
        s = z.reshape(len(x), -1, self.dim_capsule)  # (N, I, K)
        return squash(s), PrimaryCapsulesCache(s, convolution)

    def backward(self, dy, cache, needs_dx=True):
        ds = squash_backward(dy, cache.s)  # v = squash(s)
        N, H, W, C = cache.convolution.x.shape
        _, OH, OW, F = super().compute_output_shape((N, H, W, C))
        return super().backward(ds.reshape(N, OH, OW, F), cache.convolution, needs_dx)

    def without_last_activation(self):
        return None
