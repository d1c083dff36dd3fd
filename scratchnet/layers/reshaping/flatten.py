"""Flattens each sample to a vector; the adjoint gives it back its shape."""

import math
from typing import NamedTuple

from scratchnet.checks import check_data_format
from scratchnet.layers.channels import ChannelsFirstToo
from scratchnet.registry import register


class FlattenCache(NamedTuple):
    shape: tuple  # of x


@register("layers")
class Flatten(ChannelsFirstToo):
    """(N, ...) -> (N, product of the other axes), in the order of memory: the last axis runs fastest.

    Args:
        data_format: "channels_last"; with "channels_first" the channels of x, its axis 1, run fastest in y as well.
    """

    keeps_integers = True
    only_rearranges = True

    def __init__(self, data_format: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = check_data_format(self, data_format)

    def compute_output_shape(self, input_shape):
        if not isinstance(input_shape, tuple) or not input_shape:
            raise self.error(f"expected one input with a batch axis, got {input_shape}")
        rest = input_shape[1:]
        return input_shape[0], None if None in rest else math.prod(rest)

    def forward(self, x, training=False):
        return x.reshape(x.shape[0], math.prod(x.shape[1:])), FlattenCache(x.shape)

    def backward(self, dy, cache, needs_dx=True):
        return dy.reshape(cache.shape), {}
