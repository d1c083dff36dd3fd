"""Zeros around a sequence, an image or a volume, so that windows at its edge fit; the adjoint cuts them off again.

y[n, A + i, ...] = x[n, i, ...],  0 elsewhere            dx[n, i, ...] = dy[n, A + i, ...]
"""

from collections.abc import Sequence

import numpy as np

from scratchnet.checks import check_data_format, check_margins
from scratchnet.hints import IntOrInts
from scratchnet.layers.channels import ChannelsFirstToo
from scratchnet.registry import register


class ZeroPadding(ChannelsFirstToo):
    """Base of the three. `axes`: letters of the axes between those of samples and channels."""

    keeps_integers = True

    def __init__(self, padding: str, data_format: str | None, **kwargs):
        super().__init__(**kwargs)
        self.margins = check_margins(self, "padding", padding, len(self.axes))
        self.padding = self.margins if len(self.axes) > 1 else self.margins[0]
        self.data_format = check_data_format(self, data_format)

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, f"N{self.axes}C")
        N, *sizes, C = input_shape
        return N, *(None if n is None else a + n + b for n, (a, b) in zip(sizes, self.margins)), C

    def forward(self, x, training=False):
        y = np.zeros(self.compute_output_shape(x.shape), x.dtype)
        inside = (slice(None), *(slice(a, a + n) for n, (a, b) in zip(x.shape[1:], self.margins)))
        y[inside] = x
        return y, inside

    def backward(self, dy, cache, needs_dx=True):
        return dy[cache], {}


@register("layers")
class ZeroPadding1D(ZeroPadding):
    """(N, T, C) -> (N, A + T + B, C).

    Args:
        padding: how many zeros at both ends, or (A, B).

    Raises ValueError for an invalid padding.
    """

    axes = "T"

    def __init__(self, padding: IntOrInts = 1, data_format: str | None = None, **kwargs):
        super().__init__(padding, data_format, **kwargs)


@register("layers")
class ZeroPadding2D(ZeroPadding):
    """(N, H, W, C) -> (N, top + H + bottom, left + W + right, C).

    Args:
        padding: how many zeros on every side; (rows, columns); or ((top, bottom), (left, right)).

    Raises ValueError for an invalid padding.
    """

    axes = "HW"

    def __init__(self, padding: IntOrInts | Sequence[IntOrInts] = (1, 1), data_format: str | None = None, **kwargs):
        super().__init__(padding, data_format, **kwargs)


@register("layers")
class ZeroPadding3D(ZeroPadding):
    """(N, D, H, W, C) -> the same with zeros around D, H and W.

    Args:
        padding: how many zeros on every side, a number for each of the three axes, or a pair for each.

    Raises ValueError for an invalid padding.
    """

    axes = "DHW"

    def __init__(
        self,
        padding: IntOrInts | Sequence[IntOrInts] = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(padding, data_format, **kwargs)
