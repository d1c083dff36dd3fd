"""Losses for real numbers: functions of the error ``e = y_pred - y_true``, averaged over the last axis of size D."""

from typing import Any, NamedTuple

import numpy as np

from scratchnet import config, kernels
from scratchnet.activations import softplus, tanh
from scratchnet.losses.base import Loss, in_shape_of
from scratchnet.losses.elementwise import ElementwiseLoss
from scratchnet.registry import register


class MAPECache(NamedTuple):
    t: Any
    r: Any  # e / |t|


class MSLECache(NamedTuple):
    q: Any
    p: Any  # y_pred after the cut
    inside: Any  # where y_pred was not cut


class PoissonCache(NamedTuple):
    t: Any
    above_0: Any  # y_pred + 1e-7


@register("losses", "mse", "MSE")
class MeanSquaredError(Loss):
    """``v = mean(e^2)``; its derivative is ``2 e / D``."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)

    def values(self, y_true, y_pred):
        e = y_pred - y_true
        return np.square(e).mean(axis=-1), e

    def gradient(self, dvalues, cache):
        e = cache
        return e * (dvalues * e.dtype.type(2 / e.shape[-1]))

    def total(self, y_true, y_pred):
        t = in_shape_of(y_pred, y_true)
        if t is None or kernels.sum_of_squares is None:
            return None
        return kernels.sum_of_squares(y_pred, t.astype(y_pred.dtype, copy=False)) / max(y_pred.shape[-1], 1)

    def total_and_gradient(self, y_true, y_pred, scale):
        if kernels.squares_and_slopes is None or y_pred.size == 0:
            return None
        t, D = self.check_targets(y_true, y_pred), y_pred.shape[-1]
        total, dy_pred = kernels.squares_and_slopes(y_pred, t, scale * y_pred.dtype.type(2 / D))
        return total / D, dy_pred


@register("losses", "mae", "MAE")
class MeanAbsoluteError(ElementwiseLoss):
    """``v = mean(|e|)``; its derivative is ``sign(e) / D``, and 0 where e = 0."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)

    def for_kernel(self):
        return "mean_absolute_error", ()

    def values(self, y_true, y_pred):
        e = y_pred - y_true
        return np.abs(e).mean(axis=-1), e

    def gradient(self, dvalues, cache):
        e = cache
        return np.sign(e) * (dvalues * e.dtype.type(1 / e.shape[-1]))


@register("losses")
class Huber(ElementwiseLoss):
    """Squared where the error is small, absolute where it is large (Huber 1964).

        v = mean(e^2 / 2)                          where |e| <= delta
        v = mean(delta |e| - delta^2 / 2)          elsewhere

    The derivative is e cut to [-delta, delta], over D.

    Args:
        delta: where the two meet, in the unit of the targets.
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        if not delta > 0:
            raise self.error(f"delta must be positive, got {delta!r}")
        self.delta = float(delta)

    def for_kernel(self):
        return "huber", (self.delta,)

    def values(self, y_true, y_pred):
        e = y_pred - y_true
        size = np.abs(e)
        cut = np.minimum(size, self.delta)
        return (cut * (size - cut / 2)).mean(axis=-1), e  # both cases in one: cut is |e| or delta

    def gradient(self, dvalues, cache):
        e = cache
        return np.clip(e, -self.delta, self.delta) * (dvalues * e.dtype.type(1 / e.shape[-1]))


@register("losses", "mape", "MAPE")
class MeanAbsolutePercentageError(ElementwiseLoss):
    """``v = 100 mean(|e / t|)``, |t| not below 1e-7; its derivative is ``100 sign(e) / (|t| D)``."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)

    def for_kernel(self):
        return "mean_absolute_percentage_error", (config.epsilon(),)

    def values(self, y_true, y_pred):
        r = (y_pred - y_true) / np.maximum(np.abs(y_true), y_true.dtype.type(config.epsilon()))
        return 100 * np.abs(r).mean(axis=-1), MAPECache(y_true, r)

    def gradient(self, dvalues, cache):
        t, r = cache
        size = np.maximum(np.abs(t), t.dtype.type(config.epsilon()))
        return np.sign(r) / size * (dvalues * t.dtype.type(100 / t.shape[-1]))


@register("losses", "msle", "MSLE")
class MeanSquaredLogarithmicError(ElementwiseLoss):
    """``v = mean(q^2)`` with ``q = log(1 + p) - log(1 + t)``, p and t not below 1e-7: relative errors count alike.

    The derivative is ``2 q / (1 + p) / D``, and 0 where p was cut.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)

    def for_kernel(self):
        return "mean_squared_logarithmic_error", (config.epsilon(),)

    def values(self, y_true, y_pred):
        p = np.maximum(y_pred, y_pred.dtype.type(config.epsilon()))
        q = np.log1p(p) - np.log1p(np.maximum(y_true, y_true.dtype.type(config.epsilon())))
        return np.square(q).mean(axis=-1), MSLECache(q, p, p == y_pred)

    def gradient(self, dvalues, cache):
        q, p, inside = cache
        return q / (1 + p) * inside * (dvalues * q.dtype.type(2 / q.shape[-1]))


@register("losses", "logcosh")
class LogCosh(ElementwiseLoss):
    """``v = mean(log(cosh(e)))``: nearly e^2 / 2 where the error is small, |e| - log(2) where it is large.

    The derivative is ``tanh(e) / D``.
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "log_cosh", dtype: str | None = None
    ):
        super().__init__(name, reduction, dtype)

    def for_kernel(self):
        return "log_cosh", ()

    def values(self, y_true, y_pred):
        e = y_pred - y_true
        size = np.abs(e)
        return (size + softplus(-2 * size) - e.dtype.type(np.log(2))).mean(axis=-1), e  # no overflow

    def gradient(self, dvalues, cache):
        e = cache
        return tanh(e) * (dvalues * e.dtype.type(1 / e.shape[-1]))


@register("losses")
class Poisson(ElementwiseLoss):
    """``v = mean(p - t log(p + 1e-7))`` for counts t: -log of their probability at the rate p, without ``log(t!)``.

    The derivative is ``(1 - t / (p + 1e-7)) / D``.
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "poisson", dtype: str | None = None
    ):
        super().__init__(name, reduction, dtype)

    def for_kernel(self):
        return "poisson", (config.epsilon(),)

    def values(self, y_true, y_pred):
        above_0 = y_pred + y_pred.dtype.type(config.epsilon())
        return (y_pred - y_true * np.log(above_0)).mean(axis=-1), PoissonCache(y_true, above_0)

    def gradient(self, dvalues, cache):
        t, above_0 = cache
        return (1 - t / above_0) * (dvalues * t.dtype.type(1 / t.shape[-1]))


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


@register("losses")
def mean_absolute_percentage_error(y_true, y_pred):
    """The values of `MeanAbsolutePercentageError`, (N, ...) for predictions (N, ..., D)."""
    return MeanAbsolutePercentageError(reduction=None)(y_true, y_pred)


@register("losses")
def mean_squared_logarithmic_error(y_true, y_pred):
    """The values of `MeanSquaredLogarithmicError`, (N, ...) for predictions (N, ..., D)."""
    return MeanSquaredLogarithmicError(reduction=None)(y_true, y_pred)


@register("losses")
def log_cosh(y_true, y_pred):
    """The values of `LogCosh`, (N, ...) for predictions (N, ..., D)."""
    return LogCosh(reduction=None)(y_true, y_pred)


@register("losses")
def poisson(y_true, y_pred):
    """The values of `Poisson`, (N, ...) for predictions (N, ..., D)."""
    return Poisson(reduction=None)(y_true, y_pred)
