"""Group normalization: the channels of a sample in groups, each with mean 0 and variance 1, then scaled and shifted.

    mean = sum(x) / M        s = sqrt(sum((x - mean)^2) / M + epsilon)        over all places, and a group's channels
    x_hat = (x - mean) / s        y = gamma x_hat + beta        with a gamma and a beta for each channel

Between layer normalization (one group) and instance normalization (a group for each channel), and like both independent
of the other samples, so that small batches do no harm (Wu and He, "Group normalization", 2018). Backwards, as derived
in `scratchnet.layers.normalization.scale_and_shift`:

    dgamma = sum(dy x_hat)        dbeta = sum(dy)        dx_hat = gamma dy
    dx = (dx_hat - mean(dx_hat) - x_hat mean(dx_hat x_hat)) / s
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scratchnet.hints import ConstraintLike, InitializerLike, RegularizerLike
from scratchnet.layers.normalization.scale_and_shift import ScaleAndShift, standardized, standardized_backward
from scratchnet.registry import register


class GroupNormalizationCache(NamedTuple):
    x_hat: np.ndarray  # of x's shape
    s: np.ndarray  # (N, 1, ..., G, 1), one for each group


@register("layers")
class GroupNormalization(ScaleAndShift):
    """Normalizes each sample over groups of channels.

    Args:
        groups: G, a divisor of the number of channels; -1 makes each channel a group.
        axis: that of the channels.
        epsilon: added to the variance.
        center, scale: whether there are beta and gamma, (C,) each.
        beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: of
            beta and gamma.

    Shapes: any with an axis of channels; the output has that of the input.

    Raises:
        ValueError: for `groups` that is no such number, or if the channels cannot be divided into so many.
    """

    def __init__(
        self,
        groups: int = 32,
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
        if isinstance(groups, bool) or not isinstance(groups, int) or groups < 1 and groups != -1:
            raise self.error(f"argument `groups` must be a positive integer, or -1, got {groups!r}")
        self.groups = groups
        self.axis = axis

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        (axis,) = self.positive_axes(input_shape)
        self.add_scale_and_shift((input_shape[axis],))
        self.built = True

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "*")
        (axis,) = self.positive_axes(input_shape)
        C = input_shape[axis]
        if C % (C if self.groups == -1 else self.groups):
            raise self.error(f"{C} channels cannot be divided into {self.groups} groups of the same size")
        return input_shape

    def forward(self, x, training=False):
        (axis,) = self.positive_axes(self.unpack(x, "*"))
        grouped = x.reshape(self._grouped(x.shape, axis))
        x_hat, s = standardized(grouped, _within_group(grouped.ndim, axis), self.epsilon)
        x_hat = x_hat.reshape(x.shape)
        return self.scale_and_shift(x_hat, _channels(x.shape, axis)), GroupNormalizationCache(x_hat, s)

    def backward(self, dy, cache, needs_dx=True):
        x_hat, s = cache
        (axis,) = self.positive_axes(x_hat.shape)
        dx_hat, grads = self.scale_and_shift_backward(dy, x_hat, _channels(dy.shape, axis))  # y = gamma x_hat + beta
        shape = self._grouped(dy.shape, axis)
        within = _within_group(len(shape), axis)
        dx = standardized_backward(dx_hat.reshape(shape), x_hat.reshape(shape), s, within)  # x_hat = (x - mean) / s
        return dx.reshape(dy.shape), grads

    def _grouped(self, shape, axis):
        """`shape` with its channels C as (G, C / G)."""
        C = shape[axis]
        G = C if self.groups == -1 else self.groups
        return (*shape[:axis], G, C // G, *shape[axis + 1 :])


def _within_group(ndim, axis):
    """All axes but those of the samples and of the groups."""
    return tuple(k for k in range(1, ndim) if k != axis)


def _channels(shape, axis):
    return tuple(size if k == axis else 1 for k, size in enumerate(shape))
