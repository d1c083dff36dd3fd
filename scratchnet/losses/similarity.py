"""Losses that compare two distributions or two directions."""

import numpy as np

from scratchnet import config
from scratchnet.losses.base import Loss, over_last_axis

_SMALLEST_SQUARE = 1e-12  # squared lengths below this count as this


class KLDivergence(Loss):
    """``v = sum(t log(t / p))`` over the last axis, t and p cut to [1e-7, 1] (Kullback and Leibler 1951)."""

    def values(self, y_true, y_pred):
        t = np.clip(y_true.astype(y_pred.dtype, copy=False), config.epsilon(), 1)
        p = np.clip(y_pred, config.epsilon(), 1)
        return (t * np.log(t / p)).sum(axis=-1), (t, p, y_pred)

    def gradient(self, dvalues, cache):
        t, p, y_pred = cache
        inside = (y_pred >= y_pred.dtype.type(config.epsilon())) & (y_pred <= 1)  # the clip
        return -t / p * inside * over_last_axis(dvalues, t.ndim)


class CosineSimilarity(Loss):
    """``v = -cos(angle between y_true and y_pred)`` along the last axis: -1 where they point the same way.

        u = y_pred / |y_pred|,  t = y_true / |y_true|,  v = -sum(t u)         dy_pred = -(t - u sum(t u)) / |y_pred|
    """

    def __init__(self, axis=-1, reduction="sum_over_batch_size", name=None, dtype=None):
        super().__init__(reduction, name, dtype)
        if axis != -1:
            raise self.error(f"only axis=-1 is implemented, got {axis!r}")
        self.axis = axis

    def values(self, y_true, y_pred):
        t, _ = _unit(y_true.astype(y_pred.dtype, copy=False))
        u, length = _unit(y_pred)
        return -(t * u).sum(axis=-1), (t, u, length)

    def gradient(self, dvalues, cache):
        t, u, length = cache
        moving = (length * length > _SMALLEST_SQUARE).astype(u.dtype)  # a shorter vector is divided by a constant
        d = -(t - moving * u * (t * u).sum(axis=-1, keepdims=True)) / length
        return d * over_last_axis(dvalues, u.ndim)


def _unit(a):
    """`a` divided by its length along the last axis, and that length."""
    length = np.sqrt(np.maximum(np.square(a).sum(axis=-1, keepdims=True), a.dtype.type(_SMALLEST_SQUARE)))
    return a / length, length
