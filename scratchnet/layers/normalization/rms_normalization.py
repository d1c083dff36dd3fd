"""Root-mean-square normalization: layer normalization without the mean.

    s = sqrt(sum(x^2) / D + epsilon)        x_hat = x / s        y = scale x_hat

What layer normalization gains comes from the length, it seems, not from the mean (Zhang and Sennrich, "Root mean square
layer normalization", 2019). Stretching x changes no y, so only what of dx_hat lies along x_hat is taken out:

    dscale = sum(dy x_hat)        dx_hat = scale dy        dx = (dx_hat - x_hat mean(dx_hat x_hat)) / s
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scratchnet.checks import check_number
from scratchnet.layers.base import Layer
from scratchnet.registry import register


class RMSNormalizationCache(NamedTuple):
    x_hat: np.ndarray
    s: np.ndarray


@register("layers")
class RMSNormalization(Layer):
    """Divides each sample by the root mean square of its features, and scales them.

    Args:
        axis: what to normalize over. Its size is that of the weight ``scale``.
        epsilon: added to the mean square.

    Shapes: any; the output has that of the input. Raises ValueError for an axis that the input does not have.
    """

    supports_masking = True

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = check_number(self, "epsilon", epsilon)

    def build(self, input_shape):
        self.add_weight(name="scale", shape=(input_shape[self._positive_axis(input_shape)],), initializer="ones")
        self.built = True

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "*")
        self._positive_axis(input_shape)
        return input_shape

    def forward(self, x, training=False):
        axis = self._positive_axis(self.unpack(x, "*"))
        s = np.sqrt(np.square(x).mean(axis=axis, keepdims=True) + x.dtype.type(self.epsilon))
        x_hat = x / s
        return self._shaped(x.ndim, axis) * x_hat, RMSNormalizationCache(x_hat, s)

    def backward(self, dy, cache, needs_dx=True):
        x_hat, s = cache
        axis = self._positive_axis(dy.shape)
        others = tuple(k for k in range(dy.ndim) if k != axis)
        grads = {"scale": (dy * x_hat).sum(others)}  # y = scale x_hat
        dx_hat = self._shaped(dy.ndim, axis) * dy
        return (dx_hat - x_hat * (dx_hat * x_hat).mean(axis=axis, keepdims=True)) / s, grads  # x_hat = x / s

    def _shaped(self, ndim, axis):
        return self.params["scale"].reshape([-1 if k == axis else 1 for k in range(ndim)])

    def _positive_axis(self, shape):
        ndim = len(shape)
        axis = self.axis[0] if isinstance(self.axis, (list, tuple)) and len(self.axis) == 1 else self.axis
        axis = axis + ndim if axis < 0 else axis
        if not 0 < axis < ndim or shape[axis] is None:
            raise self.error(f"axis {self.axis} is not an axis of known size of an input of shape {shape}")
        return axis
