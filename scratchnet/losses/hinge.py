"""Hinge losses: right by a margin costs nothing, anything else its distance from there (support vector machines).

    binary:       v = mean(max(1 - t y, 0))             for t of -1 or +1 and scores y
    categorical:  v = max(n - p + 1, 0)                 p = sum(t y), the score of the true class
                                                        n = max((1 - t) y), the largest score of another

Cortes and Vapnik, "Support-vector networks", 1995; Crammer and Singer 2001 for several classes.
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.losses.elementwise import ElementwiseLoss, RowLoss
from scratchnet.parallel.batch import sum_over_batch
from scratchnet.registry import register


class HingeCache(NamedTuple):
    t: Any  # -1 or +1
    short: Any  # max(1 - t y, 0): what is missing to the margin


class CategoricalHingeCache(NamedTuple):
    t: Any
    largest: Any  # bool: where (1 - t) y is the largest
    short: Any  # whether n - p + 1 is above 0, (N, ..., 1)


class _Margin(ElementwiseLoss):
    """Base of the binary ones. Targets of 0 and 1, if there are no others in the batch, stand for -1 and +1."""

    def check_targets(self, y_true, y_pred):
        t = super().check_targets(y_true, y_pred)
        (others,) = sum_over_batch(np.count_nonzero((t != 0) & (t != 1)))
        return t if others else 2 * t - 1


@register("losses")
class Hinge(_Margin):
    """``v = mean(max(1 - t y, 0))``; its derivative is ``-t / D`` where something is missing, else 0."""

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "hinge", dtype: str | None = None
    ):
        super().__init__(name, reduction, dtype)

    def for_kernel(self):
        return "hinge", ()

    def values(self, y_true, y_pred):
        short = np.maximum(1 - y_true * y_pred, 0)
        return short.mean(axis=-1), HingeCache(y_true, short)

    def gradient(self, dvalues, cache):
        t, short = cache
        return -t * (short > 0) * (dvalues * t.dtype.type(1 / t.shape[-1]))


@register("losses")
class SquaredHinge(_Margin):
    """``v = mean(max(1 - t y, 0)^2)``; its derivative is ``-2 t max(1 - t y, 0) / D``."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)

    def for_kernel(self):
        return "squared_hinge", ()

    def values(self, y_true, y_pred):
        short = np.maximum(1 - y_true * y_pred, 0)
        return np.square(short).mean(axis=-1), HingeCache(y_true, short)

    def gradient(self, dvalues, cache):
        t, short = cache
        return -t * short * (dvalues * t.dtype.type(2 / t.shape[-1]))


@register("losses")
class CategoricalHinge(RowLoss):
    """``v = max(n - p + 1, 0)`` for one-hot targets; where it is above 0 its derivative is -1 by p and +1 by n.

    Of several largest scores each takes its share of n.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)

    def for_kernel(self):
        return "categorical_hinge", ()

    def values(self, y_true, y_pred):
        p = (y_true * y_pred).sum(axis=-1, keepdims=True)
        others = (1 - y_true) * y_pred
        n = others.max(axis=-1, keepdims=True)
        short = np.maximum(n - p + 1, 0)
        return short[..., 0], CategoricalHingeCache(y_true, others == n, short > 0)

    def gradient(self, dvalues, cache):
        t, largest, short = cache
        dothers = largest / largest.sum(axis=-1, keepdims=True)  # n = max(others)
        return (dothers * (1 - t) - t) * short * dvalues  # others = (1 - t) y, p = sum(t y)


@register("losses")
def hinge(y_true, y_pred):
    """The values of `Hinge`, (N, ...) for scores (N, ..., D)."""
    return Hinge(reduction=None)(y_true, y_pred)


@register("losses")
def squared_hinge(y_true, y_pred):
    """The values of `SquaredHinge`, (N, ...) for scores (N, ..., D)."""
    return SquaredHinge(reduction=None)(y_true, y_pred)


@register("losses")
def categorical_hinge(y_true, y_pred):
    """The values of `CategoricalHinge`, (N, ...) for scores (N, ..., classes)."""
    return CategoricalHinge(reduction=None)(y_true, y_pred)
