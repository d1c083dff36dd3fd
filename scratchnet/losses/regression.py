"""Losses for real numbers: functions of the error ``e = y_pred - y_true``, averaged over the last axis of size D."""

import numpy as np

from scratchnet.losses.base import Loss
from scratchnet.registry import register


@register("losses", "mse", "MSE")
class MeanSquaredError(Loss):
    """``v = mean(e^2)``; its derivative is ``2 e / D``."""

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_error", dtype=None):
        super().__init__(name, reduction, dtype)

    def values(self, y_true, y_pred):
        e = y_pred - y_true
        return np.square(e).mean(axis=-1), e

    def gradient(self, dvalues, cache):
        e = cache
        return e * (dvalues * e.dtype.type(2 / e.shape[-1]))


@register("losses", "mae", "MAE")
class MeanAbsoluteError(Loss):
    """``v = mean(|e|)``; its derivative is ``sign(e) / D``, and 0 where e = 0."""

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_error", dtype=None):
        super().__init__(name, reduction, dtype)

    def values(self, y_true, y_pred):
        e = y_pred - y_true
        return np.abs(e).mean(axis=-1), e

    def gradient(self, dvalues, cache):
        e = cache
        return np.sign(e) * (dvalues * e.dtype.type(1 / e.shape[-1]))


@register("losses")
class Huber(Loss):
    """Squared where the error is small, absolute where it is large (Huber 1964).

        v = mean(e^2 / 2)                          where |e| <= delta
        v = mean(delta |e| - delta^2 / 2)          elsewhere

    The derivative is e cut to [-delta, delta], over D.

    Args:
        delta: where the two meet, in the unit of the targets.
        reduction, name, dtype: see `Loss`.
    """

    def __init__(self, delta=1.0, reduction="sum_over_batch_size", name="huber_loss", dtype=None):
        super().__init__(name, reduction, dtype)
        if not delta > 0:
            raise self.error(f"delta must be positive, got {delta!r}")
        self.delta = float(delta)

    def values(self, y_true, y_pred):
        e = y_pred - y_true
        size = np.abs(e)
        cut = np.minimum(size, self.delta)
        return (cut * (size - cut / 2)).mean(axis=-1), e  # both cases in one: cut is |e| or delta

    def gradient(self, dvalues, cache):
        e = cache
        return np.clip(e, -self.delta, self.delta) * (dvalues * e.dtype.type(1 / e.shape[-1]))


@register("losses")
def mean_squared_error(y_true, y_pred):
    """The values of `MeanSquaredError`, (N, ...) for predictions (N, ..., D)."""
    return MeanSquaredError(reduction=None)(y_true, y_pred)


@register("losses")
def mean_absolute_error(y_true, y_pred):
    """The values of `MeanAbsoluteError`, (N, ...) for predictions (N, ..., D)."""
    return MeanAbsoluteError(reduction=None)(y_true, y_pred)


@register("losses")
def huber(y_true, y_pred, delta=1.0):
    """The values of `Huber`, (N, ...) for predictions (N, ..., D)."""
    return Huber(delta, reduction=None)(y_true, y_pred)
