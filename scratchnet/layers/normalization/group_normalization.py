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

from scratchnet import kernels
from scratchnet.hints import ConstraintLike, InitializerLike, RegularizerLike
from scratchnet.layers.normalization.scale_and_shift import ScaleAndShift, as_rows, from_rows
from scratchnet.registry import register


class GroupNormalizationCache(NamedTuple):
    x: np.ndarray
    mean: np.ndarray  # (N, G)
    s: np.ndarray


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
        if C % self.count_groups(C):
            raise self.error(f"{C} channels cannot be divided into {self.groups} groups of the same size")
        return input_shape

    def forward(self, x, training=False):
        axes = self.positive_axes(self.unpack(x, "*"))
        rows = self._rows(x, axes)
        C = rows.shape[2]
        y, mean, s = kernels.normalize_groups_forward(rows, *self.gamma_and_beta(C), self.count_groups(C), self.epsilon)
        return from_rows(y, x.shape, axes), GroupNormalizationCache(x, mean, s)

    def backward(self, dy, cache, needs_dx=True):
        x, mean, s = cache
        axes = self.positive_axes(x.shape)
        dy, rows = self._rows(dy, axes), self._rows(x, axes)
        gamma, _ = self.gamma_and_beta(rows.shape[2])
        dx, dgamma, dbeta = kernels.normalize_groups_backward(dy, rows, mean, s, gamma, needs_dx)
        return from_rows(dx, x.shape, axes) if needs_dx else None, self.trained_grads(dgamma, dbeta)

    def count_groups(self, C):
        """How many groups C channels make."""
        return C if self.groups == -1 else self.groups

    def _rows(self, x, axes):
        """x as (N, M, C), the channels last."""
        return as_rows(x, axes).reshape(len(x), -1, x.shape[axes[0]])
