"""Marks the steps of a sequence that are only padding, so that layers, losses and metrics behind it leave them out.

mask[n, t] = whether any of x[n, t] differs from the mask value            y = x mask,    dx = dy mask
"""

import numpy as np

from scratchnet.layers.base import Layer
from scratchnet.registry import register


@register("layers")
class Masking(Layer):
    """(N, T, ...) -> (N, T, ...): steps all of whose numbers are `mask_value` become 0 and are masked.

    Args:
        mask_value: what padding is filled with.
    """

    supports_masking = True

    def __init__(self, mask_value: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def compute_output_shape(self, input_shape):
        if not isinstance(input_shape, tuple) or len(input_shape) < 3:
            raise self.error(f"expected an input of shape (N, T, ...) with at least three axes, got {input_shape}")
        return input_shape

    def forward(self, x, training=False):
        kept = self.compute_mask(x)[..., np.newaxis].reshape(*x.shape[:2], *[1] * (x.ndim - 2))
        return x * kept, kept

    def backward(self, dy, cache, needs_dx=True):
        return dy * cache, {}

    def compute_mask(self, x, mask=None):
        return (x != self.mask_value).reshape(*x.shape[:2], -1).any(axis=-1)

    def output_masked(self, masked):
        return True
