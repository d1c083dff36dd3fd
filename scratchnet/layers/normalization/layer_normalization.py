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

from scratchnet import kernels
from scratchnet.checks import check_axes
from scratchnet.hints import ConstraintLike, InitializerLike, RegularizerLike
from scratchnet.layers.normalization.scale_and_shift import ScaleAndShift, as_rows, from_rows
from scratchnet.registry import register


class LayerNormalizationCache(NamedTuple):
    x: np.ndarray
    mean: np.ndarray  # 1 along the normalized axes
    s: np.ndarray


@register("layers")
class LayerNormalization(ScaleAndShift):
    """Normalizes each sample over one axis or several.

    Args:
        axis: what to normalize over; an axis, or a list of them. gamma and beta have its size. With 0, samples meet.
        epsilon: added to the variance.
        center, scale: whether there are beta and gamma.
        beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: of
            beta and gamma.

    Shapes: any; the output has that of the input.

    Raises:
        ValueError: for an axis that the input does not have or whose size is unknown.
    """

    lowest_axis = 0
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

    @property
    def needs_sizes(self):
        return self.scale or self.center

    def build(self, input_shape):
        self.add_scale_and_shift([input_shape[axis] for axis in self.positive_axes(input_shape)])
        self.built = True

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "*")
        self.positive_axes(input_shape)
        return input_shape

    def looks_across(self, input_shape):
        return 0 in self.positive_axes(input_shape)

    def forward(self, x, training=False):
        axes = self.positive_axes(self.unpack(x, "*"))
        rows = as_rows(x, axes)  # (M, D)
        gamma, beta = self.gamma_and_beta(rows.shape[1])
        y, mean, s = kernels.normalize_rows_forward(rows, gamma.reshape(-1), beta.reshape(-1), self.epsilon)
        shape = tuple(1 if k in axes else size for k, size in enumerate(x.shape))
        return from_rows(y, x.shape, axes), LayerNormalizationCache(x, mean.reshape(shape), s.reshape(shape))

    def backward(self, dy, cache, needs_dx=True):
        x, mean, s = cache
        axes = self.positive_axes(x.shape)
        dy, rows = as_rows(dy, axes), as_rows(x, axes)
        gamma, _ = self.gamma_and_beta(rows.shape[1])
        arrays = dy, rows, mean.reshape(-1), s.reshape(-1), gamma.reshape(-1)
        dx, dgamma, dbeta = kernels.normalize_rows_backward(*arrays, needs_dx=needs_dx)
        return from_rows(dx, x.shape, axes) if needs_dx else None, self.trained_grads(dgamma, dbeta)
