"""Adaptive pooling: the windows are chosen so that a given number of them covers the input, whatever its size.

Along each axis, of size H with OH windows, window i holds the places

    a_i = floor(i H / OH)  <=  p  <  b_i = ceil((i + 1) H / OH)

so that neighbours share a place where H / OH is not whole (He et al., "Spatial pyramid pooling in deep convolutional
networks for visual recognition", 2014, has windows of this kind; the sizes are PyTorch's). A box of windows is pooled
axis by axis: its mean is the mean of the means of its rows, its largest value the largest of theirs.

    mean:     y_i = 1 / (b_i - a_i)  sum of x_p            dx_p = sum over i with a_i <= p < b_i of  dy_i / (b_i - a_i)
    largest:  y_i = x_(p_i), p_i the first of the largest  dx_p = sum over i with p_i = p of  dy_i
"""

from typing import NamedTuple

import numpy as np

from scratchnet.checks import check_data_format, check_sizes
from scratchnet.hints import IntOrInts
from scratchnet.kernels.geometry import adaptive_windows
from scratchnet.layers.channels import ChannelsFirstToo
from scratchnet.registry import register


class AdaptivePoolingCache(NamedTuple):
    x_shape: tuple
    chosen: list  # for each axis, the places of the largest values; empty for means


class AdaptivePooling(ChannelsFirstToo):
    """Base of the six. `axes`: letters of the axes that are pooled."""

    def __init__(self, output_size: IntOrInts, data_format: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.output_size = check_sizes(self, "output_size", output_size, len(self.axes))
        self.data_format = check_data_format(self, data_format)

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, f"N{self.axes}C")
        return input_shape[0], *self.output_size, input_shape[-1]


class _AdaptiveAveragePooling(AdaptivePooling):
    def forward(self, x, training=False):
        self.unpack(x, f"N{self.axes}C")
        y = x
        for axis, count in enumerate(self.output_size, start=1):
            windows = adaptive_windows(x.shape[axis], count)
            y = np.stack([y.take(range(a, b), axis).mean(axis=axis) for a, b in windows], axis)
        return y, AdaptivePoolingCache(x.shape, [])

    def backward(self, dy, cache, needs_dx=True):
        d = dy
        for axis, count in reversed(list(enumerate(self.output_size, start=1))):
            dx = np.zeros((*d.shape[:axis], cache.x_shape[axis], *d.shape[axis + 1 :]), d.dtype)
            for i, (a, b) in enumerate(adaptive_windows(cache.x_shape[axis], count)):
                of_window = np.moveaxis(dx, axis, 0)[a:b]  # a view
                of_window += np.moveaxis(d, axis, 0)[i] / (b - a)  # y_i = sum over p of x_p / (b - a)
            d = dx
        return d, {}


class _AdaptiveMaxPooling(AdaptivePooling):
    def forward(self, x, training=False):
        self.unpack(x, f"N{self.axes}C")
        y, chosen = x, []
        for axis, count in enumerate(self.output_size, start=1):
            windows = adaptive_windows(x.shape[axis], count)
            places = np.stack([a + y.take(range(a, b), axis).argmax(axis=axis) for a, b in windows], axis)
            y = np.take_along_axis(y, places, axis)
            chosen.append(places)
        return y, AdaptivePoolingCache(x.shape, chosen)

    def backward(self, dy, cache, needs_dx=True):
        d = dy
        for axis, places in reversed(list(enumerate(cache.chosen, start=1))):
            dx = np.zeros((*d.shape[:axis], cache.x_shape[axis], *d.shape[axis + 1 :]), d.dtype)
            for i in range(d.shape[axis]):  # each window by itself, since two may have chosen the same place
                place = places.take([i], axis)
                so_far = np.take_along_axis(dx, place, axis)
                np.put_along_axis(dx, place, so_far + d.take([i], axis), axis)  # y_i = x_(p_i)
            d = dx
        return d, {}


@register("layers")
class AdaptiveAveragePooling1D(_AdaptiveAveragePooling):
    """(N, T, C) -> (N, OT, C): the mean of each window.

    Args:
        output_size: how many windows there are, along each axis; one number serves all axes.
        data_format: "channels_last" or "channels_first".

    Raises ValueError for sizes that are not positive.
    """

    axes = "T"


@register("layers")
class AdaptiveAveragePooling2D(_AdaptiveAveragePooling):
    """(N, H, W, C) -> (N, OH, OW, C): the mean of each window. Arguments as `AdaptiveAveragePooling1D`."""

    axes = "HW"


@register("layers")
class AdaptiveAveragePooling3D(_AdaptiveAveragePooling):
    """(N, D, H, W, C) -> (N, OD, OH, OW, C): the mean of each window. Arguments as `AdaptiveAveragePooling1D`."""

    axes = "DHW"


@register("layers")
class AdaptiveMaxPooling1D(_AdaptiveMaxPooling):
    """(N, T, C) -> (N, OT, C): the largest value of each window. Arguments as `AdaptiveAveragePooling1D`."""

    axes = "T"


@register("layers")
class AdaptiveMaxPooling2D(_AdaptiveMaxPooling):
    """(N, H, W, C) -> (N, OH, OW, C): the largest value of each window. Arguments as `AdaptiveAveragePooling1D`."""

    axes = "HW"


@register("layers")
class AdaptiveMaxPooling3D(_AdaptiveMaxPooling):
    """(N, D, H, W, C) -> (N, OD, OH, OW, C): the largest of each window. Arguments as `AdaptiveAveragePooling1D`."""

    axes = "DHW"
