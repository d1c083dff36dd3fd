"""The ends of a sequence, or the edges of an image or a volume, cut off; the adjoint puts zeros in their place.

y[n, i, ...] = x[n, A + i, ...]            dx[n, A + i, ...] = dy[n, i, ...],  0 elsewhere
"""

from collections.abc import Sequence

import numpy as np

from scratchnet.checks import check_data_format, check_margins
from scratchnet.hints import IntOrInts
from scratchnet.layers.channels import ChannelsFirstToo
from scratchnet.registry import register


class Cropping(ChannelsFirstToo):
    """Base of the three. `axes`: letters of the axes between those of samples and channels."""

    keeps_integers = True

    def __init__(self, cropping: IntOrInts | Sequence[IntOrInts], data_format: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.margins = check_margins(self, "cropping", cropping, len(self.axes))
        self.cropping = self.margins if len(self.axes) > 1 else self.margins[0]
        self.data_format = check_data_format(self, data_format)

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, f"N{self.axes}C")
        N, *sizes, C = input_shape
        cropped = [None if n is None else n - a - b for n, (a, b) in zip(sizes, self.margins)]
        if any(n is not None and n < 1 for n in cropped):
            raise self.error(f"cropping {self.cropping} leaves nothing of an input of shape {input_shape}")
        return N, *cropped, C

    def forward(self, x, training=False):
        self.compute_output_shape(x.shape)
        inside = (slice(None), *(slice(a, n - b) for n, (a, b) in zip(x.shape[1:], self.margins)))
        return x[inside], (x.shape, inside)

    def backward(self, dy, cache, needs_dx=True):
        shape, inside = cache
        dx = np.zeros(shape, dy.dtype)
        dx[inside] = dy
        return dx, {}


@register("layers")
class Cropping1D(Cropping):
    """(N, T, C) -> (N, T - A - B, C).

    Args:
        cropping: how many steps at both ends, or (A, B).

    Raises ValueError for an invalid cropping, or one that leaves nothing.
    """

    axes = "T"

    def __init__(self, cropping: IntOrInts | Sequence[IntOrInts] = (1, 1), **kwargs):
        super().__init__(cropping, **kwargs)


@register("layers")
class Cropping2D(Cropping):
    """(N, H, W, C) -> (N, H - top - bottom, W - left - right, C).

    Args:
        cropping: how many pixels on every side; (rows, columns); or ((top, bottom), (left, right)).

    Raises ValueError for an invalid cropping, or one that leaves nothing.
    """

    axes = "HW"

    def __init__(
        self, cropping: IntOrInts | Sequence[IntOrInts] = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs
    ):
        super().__init__(cropping, data_format, **kwargs)


@register("layers")
class Cropping3D(Cropping):
    """(N, D, H, W, C) -> the same without the edges of D, H and W.

    Args:
        cropping: how many on every side, a number for each of the three axes, or a pair for each.

    Raises ValueError for an invalid cropping, or one that leaves nothing.
    """

    axes = "DHW"

    def __init__(
        self,
        cropping: IntOrInts | Sequence[IntOrInts] = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(cropping, data_format, **kwargs)
