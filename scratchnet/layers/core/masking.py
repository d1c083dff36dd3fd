"""Marks the steps of a sequence that are only padding, so that layers, losses and metrics behind it leave them out.

mask[n, t] = whether any of x[n, t] differs from the mask value            y = x mask,    dx = dy mask

Of vectors (N, D), each is a step: mask[n] says whether the sample counts.
"""

import math

from scratchnet.layers.base import Layer
from scratchnet.registry import register


@register("layers")
class Masking(Layer):
    """(N, T, ...) -> (N, T, ...): steps all of whose numbers are `mask_value` become 0 and are masked.

    So are the vectors in (N, D).

    Args:
        mask_value: what padding is filled with.
    """

    supports_masking = True

    def __init__(self, mask_value: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def compute_output_shape(self, input_shape):
        if not isinstance(input_shape, tuple) or len(input_shape) < 2:
            raise self.error(f"expected an input of shape (N, T, ...) or (N, D), got {input_shape}")
        return input_shape

    def forward(self, x, training=False):
        mask = self.compute_mask(x)
        kept = mask.reshape(*mask.shape, *[1] * (x.ndim - mask.ndim))
        return x * kept, kept

    def backward(self, dy, cache, needs_dx=True):
        return dy * cache, {}

    def compute_mask(self, x, mask=None):
        differs = x != self.mask_value
        return (differs if x.ndim == 2 else differs.reshape(*x.shape[:2], math.prod(x.shape[2:]))).any(axis=-1)

    def output_masked(self, masked):
        return True
