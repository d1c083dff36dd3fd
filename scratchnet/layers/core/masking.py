"""Marks the steps of a sequence that are only padding, so that layers, losses and metrics behind it leave them out.

mask[n, t] = whether any of x[n, t] differs from the mask value            y = x mask,    dx = dy mask

Of vectors (N, D), each is a step: mask[n] says whether the sample counts. So is each vector in (N, T, H, D), whose mask
is (N, T, H): to a layer that reads steps, one counts if anything of it does.
"""

from scratchnet.layers.base import Layer
from scratchnet.registry import register


@register("layers")
class Masking(Layer):
    """(N, T, ..., D) -> (N, T, ..., D): vectors all of whose numbers are `mask_value` become 0 and are masked.

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
        return x * mask[..., None], mask[..., None]

    def backward(self, dy, cache, needs_dx=True):
        return dy * cache, {}

    def compute_mask(self, x, mask=None):
        return (x != self.mask_value).any(axis=-1)

    def output_masked(self, masked):
        return True
