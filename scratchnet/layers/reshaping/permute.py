"""The axes of a sample in another order; the adjoint puts them back."""

from collections.abc import Sequence

import numpy as np

from scratchnet.layers.base import Layer
from scratchnet.registry import register


@register("layers")
class Permute(Layer):
    """(N, ...) -> (N, ...) with the axes behind that of the samples in another order.

    Args:
        dims: for each axis of the output, which axis of the input it is, counted from 1: (2, 1) exchanges two.

    Raises ValueError if `dims` is no permutation of 1, 2, ..., or the input has another number of axes.
    """

    keeps_integers = True

    def __init__(self, dims: Sequence[int], **kwargs):
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise self.error(f"dims must be the numbers 1 to {len(self.dims)} in some order, got {dims!r}")

    def compute_output_shape(self, input_shape):
        if not isinstance(input_shape, tuple) or len(input_shape) != len(self.dims) + 1:
            raise self.error(f"dims {self.dims} need an input of {len(self.dims) + 1} axes, got {input_shape}")
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))

    def forward(self, x, training=False):
        self.compute_output_shape(x.shape)
        return np.ascontiguousarray(x.transpose(0, *self.dims)), None

    def backward(self, dy, cache, needs_dx=True):
        return dy.transpose(0, *(1 + np.argsort(self.dims))), {}
