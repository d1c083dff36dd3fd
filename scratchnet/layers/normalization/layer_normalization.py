"""Layer normalization: every sample by itself with mean 0 and variance 1 over its features, then scaled and shifted.

    mean = sum(x) / D        s = sqrt(sum((x - mean)^2) / D + epsilon)        over the D features of one sample or step
    x_hat = (x - mean) / s        y = gamma x_hat + beta

No sample depends on another, so training and inference are the same, and it serves recurrent layers and attention,
whose batches have no common statistics (Ba, Kiros and Hinton, "Layer normalization", 2016). Backwards, as derived in
`scratchnet.layers.normalization.scale_and_shift`:

    dgamma = sum(dy x_hat)        dbeta = sum(dy)        dx_hat = gamma dy
    dx = (dx_hat - mean(dx_hat) - x_hat mean(dx_hat x_hat)) / s
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scratchnet.checks import check_axes
from scratchnet.hints import ConstraintLike, InitializerLike, RegularizerLike
from scratchnet.layers.normalization.scale_and_shift import ScaleAndShift, standardized, standardized_backward
from scratchnet.registry import register


class LayerNormalizationCache(NamedTuple):
    x_hat: np.ndarray  # of x's shape
    s: np.ndarray  # 1 along the normalized axes


@register("layers")
class LayerNormalization(ScaleAndShift):
    """Normalizes each sample over one axis or several.

    Args:
        axis: what to normalize over; an axis, or a list of them. gamma and beta have its size.
        epsilon: added to the variance.
        center, scale: whether there are beta and gamma.
        beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: of
            beta and gamma.

    Shapes: any; the output has that of the input.

    Raises:
        ValueError: for an axis that the input does not have or whose size is unknown.
    """

    absent = {"rms_scaling": (False, None)}  # deprecated in Keras, too: RMSNormalization is what it wants

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: InitializerLike = "zeros",
        gamma_initializer: InitializerLike = "ones",
        beta_regularizer: RegularizerLike = None,
        gamma_regularizer: RegularizerLike = None,
        beta_constraint: ConstraintLike = None,
        gamma_constraint: ConstraintLike = None,
        **kwargs,
    ):
        super().__init__(
            epsilon,
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
            **kwargs,
        )
        self.axis = check_axes(self, axis)

    def build(self, input_shape):
        self.add_scale_and_shift([input_shape[axis] for axis in self.positive_axes(input_shape)])
        self.built = True

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "*")
        self.positive_axes(input_shape)
        return input_shape

    def forward(self, x, training=False):
        axes = self.positive_axes(self.unpack(x, "*"))
        x_hat, s = standardized(x, axes, self.epsilon)
        return self.scale_and_shift(x_hat, _only(axes, x.shape)), LayerNormalizationCache(x_hat, s)

    def backward(self, dy, cache, needs_dx=True):
        x_hat, s = cache
        axes = self.positive_axes(x_hat.shape)
        dx_hat, grads = self.scale_and_shift_backward(dy, x_hat, _only(axes, x_hat.shape))  # y = gamma x_hat + beta
        return standardized_backward(dx_hat, x_hat, s, axes), grads  # x_hat = (x - mean) / s


def _only(axes, shape):
    """`shape` with all but `axes` of size 1."""
    return tuple(size if k in axes else 1 for k, size in enumerate(shape))
