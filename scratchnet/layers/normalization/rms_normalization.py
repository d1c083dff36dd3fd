"""Root-mean-square normalization: layer normalization without the mean.

    s = sqrt(sum(x^2) / D + epsilon)        x_hat = x / s        y = scale x_hat

What layer normalization gains comes from the length, it seems, not from the mean (Zhang and Sennrich, "Root mean square
layer normalization", 2019). Stretching x changes no y, so only what of dx_hat lies along x_hat is taken out:

    dscale = sum(dy x_hat)        dx_hat = scale dy        dx = (dx_hat - x_hat mean(dx_hat x_hat)) / s
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scratchnet import kernels
from scratchnet.checks import check_axes, check_number
from scratchnet.layers.base import Layer
from scratchnet.layers.normalization.scale_and_shift import as_rows, check_built_for, from_rows
from scratchnet.registry import register


class RMSNormalizationCache(NamedTuple):
    x: np.ndarray
    s: np.ndarray  # (M,), one for each row that is normalized


@register("layers")
class RMSNormalization(Layer):
    """Divides each sample by the root mean square of its features, and scales them.

    Args:
        axis: what to normalize over; an axis, or a list of them. The weight ``scale`` has its size.
        epsilon: added to the mean square.

    Shapes: any; the output has that of the input. Raises ValueError for an axis that the input does not have.
    """

    supports_masking = True

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs):
        super().__init__(**kwargs)
        self.axis = check_axes(self, axis)
        self.epsilon = check_number(self, "epsilon", epsilon)

    def build(self, input_shape):
        sizes = [input_shape[axis] for axis in self._positive_axes(input_shape)]
        self.add_weight(name="scale", shape=sizes, initializer="ones")
        self.built = True

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "*")
        self._positive_axes(input_shape)
        return input_shape

    def forward(self, x, training=False):
        axes = self._positive_axes(self.unpack(x, "*"))
        rows, scale = as_rows(x, axes), self.params["scale"].reshape(-1)
        y, _, s = kernels.normalize_rows_forward(rows, scale, np.zeros_like(scale), self.epsilon, centered=False)
        return from_rows(y, x.shape, axes), RMSNormalizationCache(x, s)

    def backward(self, dy, cache, needs_dx=True):
        x, s = cache
        axes, scale = self._positive_axes(x.shape), self.params["scale"]
        arrays = as_rows(dy, axes), as_rows(x, axes), np.zeros_like(s), s, scale.reshape(-1)
        dx, dscale, _ = kernels.normalize_rows_backward(*arrays, centered=False, needs_dx=needs_dx)
        grads = {"scale": dscale.reshape(scale.shape).astype(scale.dtype)}
        return from_rows(dx, x.shape, axes) if needs_dx else None, self.trained(grads)

    def _positive_axes(self, shape):
        """The axes, counted from the front and in their order."""
        ndim = len(shape)
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        axes = tuple(sorted(axis + ndim if axis < 0 else axis for axis in axes))
        if any(not 0 < axis < ndim or shape[axis] is None for axis in axes):
            raise self.error(f"axis {self.axis} is not an axis of known size of an input of shape {shape}")
        check_built_for(self, tuple(shape[axis] for axis in axes), shape)
        return axes
