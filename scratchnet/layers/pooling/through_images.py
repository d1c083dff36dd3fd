"""Pooling of sequences and volumes, done by the pooling of images.

A sequence is an image one pixel wide. A window over a volume is a box, and the largest value of a box is the largest of
the largest values of its slices (the mean is the mean of their means): first every slice is pooled as an image, then
the depth, with each column of pixels as one pixel of an image.

    (N, T, C)       -> (N, T, 1, C)
    (N, D, H, W, C) -> (N D, H, W, C) -> (N, D, OH OW, C)

Of several equal values, the first wins here as well: the first slice that has it, and its first place in that slice.
"""

from typing import NamedTuple

from scratchnet.checks import check_data_format, check_padding, check_sizes
from scratchnet.hints import IntOrInts
from scratchnet.kernels.geometry import output_size, paddings
from scratchnet.layers.channels import ChannelsFirstToo


class Window(NamedTuple):
    """A window that slides over images of `shape` (N, H, W, C)."""

    shape: tuple
    size: tuple
    strides: tuple
    padding: tuple  # ((top, bottom), (left, right))


class PoolingCache(NamedTuple):
    x_shape: tuple
    windows: list  # one for a sequence, two for a volume
    kept: list  # for each window, what its adjoint needs


class PoolingThroughImages(ChannelsFirstToo):
    """Base of pooling in one and in three dimensions. `axes`: letters of the axes that the window slides along.

    A subclass defines `pool` and `pool_backward` for one window.
    """

    def __init__(
        self,
        pool_size: IntOrInts,
        strides: IntOrInts | None,
        padding: str,
        data_format: str | None,
        name: str | None,
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        rank = len(self.axes)
        self.pool_size = check_sizes(self, "pool_size", pool_size, rank)
        self.strides = self.pool_size if strides is None else check_sizes(self, "strides", strides, rank)
        self.padding = check_padding(self, padding)
        self.data_format = check_data_format(self, data_format)

    def pool(self, x, window):
        """Return ``(y, kept)``."""
        raise NotImplementedError(f"{type(self).__name__} defines no pool")

    def pool_backward(self, dy, kept, window):
        """Return dx."""
        raise NotImplementedError(f"{type(self).__name__} defines no pool_backward")

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, f"N{self.axes}C")
        N, *sizes, C = input_shape
        found = [output_size(n, k, s, self.padding) for n, k, s in zip(sizes, self.pool_size, self.strides)]
        if 0 in found:
            raise self.error(f"an input of shape {input_shape} is smaller than the window {self.pool_size}")
        return N, *found, C

    def forward(self, x, training=False):
        self.unpack(x, f"N{self.axes}C")
        y, windows, kept = x, self.windows(x.shape), []
        for window in windows:
            y, of_window = self.pool(y.reshape(window.shape), window)
            kept.append(of_window)
        return y.reshape(self.compute_output_shape(x.shape)), PoolingCache(x.shape, windows, kept)

    def backward(self, dy, cache, needs_dx=True):
        d = dy
        for window, of_window in zip(reversed(cache.windows), reversed(cache.kept)):
            N, H, W, C = window.shape
            d = self.pool_backward(d.reshape(N, *_counts(window), C), of_window, window)
        return d.reshape(cache.x_shape), {}

    def windows(self, shape):
        """The windows that slide over images, one after the other, for an input of this shape."""
        N, *sizes, C = shape
        pads = paddings(tuple(sizes), self.pool_size, self.strides, self.padding)
        if len(sizes) == 1:
            return [Window((N, *sizes, 1, C), (*self.pool_size, 1), (*self.strides, 1), (pads[0], (0, 0)))]
        D, H, W = sizes
        _, OH, OW = self.compute_output_shape(shape)[1:-1]
        slices = Window((N * D, H, W, C), self.pool_size[1:], self.strides[1:], pads[1:])
        depth = Window((N, D, OH * OW, C), (self.pool_size[0], 1), (self.strides[0], 1), (pads[0], (0, 0)))
        return [slices, depth]


def _counts(window):
    """How many windows there are along H and W."""
    sizes = zip(window.shape[1:3], window.size, window.strides, window.padding)
    return [(n + sum(pad) - k) // s + 1 for n, k, s, pad in sizes]
