"""Losses for real numbers: functions of the error ``e = y_pred - y_true``, averaged over the last axis of size D."""

import numpy as np

from scratchnet.losses.base import Loss, over_last_axis


class MeanSquaredError(Loss):
    """``v = mean(e^2)``; its derivative is ``2 e / D``."""

    def values(self, y_true, y_pred):
        e = _error(y_true, y_pred)
        return _mean(np.square(e)), e

    def gradient(self, dvalues, cache):
        e = cache
        return e * over_last_axis(dvalues * e.dtype.type(2 / _last(e)), e.ndim)


class MeanAbsoluteError(Loss):
    """``v = mean(|e|)``; its derivative is ``sign(e) / D``, and 0 where e = 0."""

    def values(self, y_true, y_pred):
        e = _error(y_true, y_pred)
        return _mean(np.abs(e)), e

    def gradient(self, dvalues, cache):
        e = cache
        return np.sign(e) * over_last_axis(dvalues * e.dtype.type(1 / _last(e)), e.ndim)


class Huber(Loss):
    """Squared where the error is small, absolute where it is large (Huber 1964).

        v = mean(e^2 / 2)                          where |e| <= delta
        v = mean(delta |e| - delta^2 / 2)          elsewhere

    The derivative is e cut to [-delta, delta], over D.
    """

    def __init__(self, delta=1.0, reduction="sum_over_batch_size", name=None, dtype=None):
        super().__init__(reduction, name, dtype)
        if not delta > 0:
            raise self.error(f"delta must be positive, got {delta!r}")
        self.delta = delta

    def values(self, y_true, y_pred):
        e = _error(y_true, y_pred)
        size = np.abs(e)
        return _mean(np.where(size <= self.delta, e * e / 2, self.delta * size - self.delta**2 / 2).astype(e.dtype)), e

    def gradient(self, dvalues, cache):
        e = cache
        return np.clip(e, -self.delta, self.delta) * over_last_axis(dvalues * e.dtype.type(1 / _last(e)), e.ndim)


def _error(y_true, y_pred):
    return np.subtract(y_pred, y_true, dtype=y_pred.dtype, casting="unsafe")


def _mean(a):
    return a.mean(axis=-1) if a.ndim > 1 else a


def _last(a):
    return a.shape[-1] if a.ndim > 1 else 1
