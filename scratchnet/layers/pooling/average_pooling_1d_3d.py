"""Average pooling of sequences and volumes: each window is replaced by the mean of its elements inside the input.

In the backward pass each of these elements receives dy / count; see `scratchnet.layers.pooling.average_pooling2d`.
`through_images` explains how the windows slide.
"""

from scratchnet import kernels
from scratchnet.hints import IntOrInts
from scratchnet.layers.pooling.through_images import PoolingThroughImages
from scratchnet.registry import register


class _AveragePooling(PoolingThroughImages):
    def pool(self, x, window):
        return kernels.average_pool2d_forward(x, window.size, window.strides, window.padding), None

    def pool_backward(self, dy, kept, window):
        return kernels.average_pool2d_backward(dy, window.shape, window.size, window.strides, window.padding)


@register("layers", "AvgPool1D")
class AveragePooling1D(_AveragePooling):
    """The mean of each window.

    Args:
        pool_size: the size of the window.
        strides: how far the window moves; None is `pool_size`.
        padding: "valid", only windows inside, or "same", ``ceil(size / stride)`` of them.

    Shapes: (N, T, C) -> (N, OT, C).

    Raises ValueError for sizes that are not positive, or an input smaller than the window.
    """

    axes = "T"

    def __init__(
        self,
        pool_size: IntOrInts,
        strides: IntOrInts | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs,
    ):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


@register("layers", "AvgPool3D")
class AveragePooling3D(_AveragePooling):
    """The mean of each window.

    Args:
        pool_size: the size of the window; one number, or one for each axis.
        strides: how far the window moves; None is `pool_size`.
        padding: "valid", only windows inside, or "same", ``ceil(size / stride)`` of them.

    Shapes: (N, D, H, W, C) -> (N, OD, OH, OW, C).

    Raises ValueError for sizes that are not positive, or an input smaller than the window.
    """

    axes = "DHW"

    def __init__(
        self,
        pool_size: IntOrInts,
        strides: IntOrInts | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs,
    ):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)
