"""Reshapes each sample; the adjoint gives it back its shape."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scratchnet.layers.base import Layer
from scratchnet.registry import register


class ReshapeCache(NamedTuple):
    shape: tuple  # of x


@register("layers")
class Reshape(Layer):
    """(N, ...) -> (N, *target_shape), in the order of memory: the last axis runs fastest.

    Args:
        target_shape: the shape of one sample; one axis may be -1, which stands for what is left.

    Raises:
        ValueError: if more than one axis is -1, or the numbers of a sample do not fill the shape.
    """

    keeps_integers = True
    only_rearranges = True

    def __init__(self, target_shape: int | Sequence[int], **kwargs):
        super().__init__(**kwargs)
        sizes = tuple(target_shape) if isinstance(target_shape, (tuple, list)) else (target_shape,)
        for size in sizes:
            is_int = isinstance(size, (int, np.integer)) and not isinstance(size, bool)
            if not is_int or (size < 1 and size != -1):
                raise self.error(f"target_shape must be positive integers, or -1 once, got {target_shape!r}")
        if sizes.count(-1) > 1:
            raise self.error(f"at most one axis of target_shape can be -1, got {target_shape!r}")
        self.target_shape = tuple(int(size) for size in sizes)

    def compute_output_shape(self, input_shape):
        if not isinstance(input_shape, tuple) or not input_shape:
            raise self.error(f"expected one input with a batch axis, got {input_shape}")
        if None in input_shape[1:]:
            return input_shape[0], *(None if size == -1 else size for size in self.target_shape)
        return input_shape[0], *self._target(math.prod(input_shape[1:]))

    def forward(self, x, training=False):
        return x.reshape(x.shape[0], *self._target(math.prod(x.shape[1:]))), ReshapeCache(x.shape)

    def backward(self, dy, cache, needs_dx=True):
        return dy.reshape(cache.shape), {}

    def _target(self, values):
        """`target_shape` with the -1 resolved for samples of this many values."""
        known = math.prod(size for size in self.target_shape if size != -1)
        failure = f"cannot reshape {values} values per sample into {self.target_shape}"
        if -1 in self.target_shape:
            if values % known:
                raise self.error(f"{failure}: {values} is not divisible by {known}")
            return tuple(values // known if size == -1 else size for size in self.target_shape)
        if values != known:
            raise self.error(f"{failure}, which holds {known}")
        return self.target_shape
