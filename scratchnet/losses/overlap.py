"""Losses for segmentation: how much of two regions overlaps.

    Dice:     v = 1 - 2 sum(t p) / (sum(t) + sum(p) + 1e-7)
    Tversky:  v = 1 - sum(t p) / (sum(t p) + alpha sum(t (1 - p)) + beta sum((1 - t) p) + 1e-7)

A pixel-wise loss is content to call everything background where an object is small; the overlap is not. Milletari et
al., "V-Net", 2016; Salehi et al., "Tversky loss function for image segmentation using 3D fully convolutional deep
networks", 2017: a larger alpha or beta avoids one of the two errors more.

Both are 1 - A / B, where A and B are made of three sums over elements:

    A = a sum(t p)        B = b sum(t p) + c sum(t) + d sum(p) + 1e-7        (d sum(t p) / dp = t, d sum(p) / dp = 1)

    dp = (A (b t + d) - B a t) / B^2

The sums run over `axis`; by default over everything, samples too: then they are sums over the whole batch.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from scratchnet import config
from scratchnet.losses.base import Loss
from scratchnet.parallel.batch import current_part, sum_over_batch
from scratchnet.registry import register


class OverlapCache(NamedTuple):
    A: Any  # with axes of size 1
    B: Any
    t: Any


class _Overlap(Loss):
    """Base of both: a subclass says how A and B are made of the sums."""

    def __init__(self, reduction: str | None, name: str | None, axis: int | Sequence[int], dtype: str | None):
        super().__init__(name, reduction, dtype)
        self.axis = tuple(int(a) for a in axis) if isinstance(axis, (tuple, list)) else axis

    def factors(self):
        """``(a, b, c, d)``, see above."""
        raise NotImplementedError

    def values(self, y_true, y_pred):
        axes, (a, b, c, d) = self._axes(y_pred.ndim), self.factors()
        tp, t, p = (x.sum(axis=axes, keepdims=True) for x in (y_true * y_pred, y_true, y_pred))
        if 0 in axes:
            tp, t, p = sum_over_batch(tp, t, p)
        A, B = a * tp, b * tp + c * t + d * p + tp.dtype.type(config.epsilon())
        return (1 - A / B).squeeze(axes), OverlapCache(A, B, y_true)

    def forward(self, y_true, y_pred, sample_weight=None, count=None):
        y_pred = np.asarray(y_pred)
        if 0 not in self._axes(y_pred.ndim):
            return super().forward(y_true, y_pred, sample_weight, count)
        # Of the whole batch: every part has the same values, and only the first counts them.
        value, cache = super().forward(y_true, y_pred)
        if self.reduction == "none" and self.axis is None and sample_weight is not None:
            return value * np.asarray(sample_weight, value.dtype), None
        weight, part = value.dtype.type(self._weight_of_all(sample_weight)), current_part()
        counted = value * weight if part is None or part.index == 0 else value * 0
        return counted, None if cache is None else cache._replace(dvalues=cache.dvalues * weight)

    def _weight_of_all(self, sample_weight):
        """What one value of all samples is multiplied by, as in Keras: their weights, reduced as values are."""
        if sample_weight is None:
            return 1.0
        if self.axis is not None:
            raise self.error(f"with axis={self.axis}, which sums over samples, a sample cannot have a weight")
        total, size = sum_over_batch(np.sum(sample_weight), np.size(sample_weight))
        return total if self.reduction == "sum" else 1.0 if "weight" in self.reduction else total / size

    def backward(self, cache):
        if cache is None:
            return super().backward(cache)
        A = cache.terms.A
        dvalues = np.broadcast_to(cache.dvalues, A.squeeze(self._axes(A.ndim)).shape).reshape(A.shape)
        return self.gradient(dvalues, cache.terms).astype(cache.dtype, copy=False)

    def gradient(self, dvalues, cache):
        (A, B, t), (a, b, _, d) = cache, self.factors()
        scale = dvalues / (B * B)
        return (A * b - B * a) * scale * t + A * d * scale

    def count(self, y_true, ndim, sample_weight=None):
        if self.reduction == "sum":
            return 1.0
        axes = self._axes(ndim)
        shape = [size for k, size in enumerate(np.shape(y_true)[:ndim]) if k not in axes]
        if self.reduction == "mean_with_sample_weight" and sample_weight is not None and 0 not in axes:
            return float(np.sum(self._weights(sample_weight, y_true, tuple(shape)), dtype=np.float64))
        return float(np.prod(shape))

    def _axes(self, ndim):
        axes = range(ndim) if self.axis is None else self.axis if isinstance(self.axis, tuple) else (self.axis,)
        if not all(-ndim <= axis < ndim for axis in axes):
            raise self.error(f"axis {self.axis} is not an axis of predictions with {ndim} axes")
        return tuple(sorted({axis % ndim for axis in axes}))


@register("losses")
class Dice(_Overlap):
    """``v = 1 - 2 sum(t p) / (sum(t) + sum(p) + 1e-7)``.

    Args:
        axis: over which axes is summed; None for all. (1, 2, 3) gives each image (N, H, W, C) a value of its own.
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: int | Sequence[int] | None = None,
        dtype: str | None = None,
    ):
        super().__init__(reduction, name, axis, dtype)

    def factors(self):
        return 2, 0, 1, 1


@register("losses")
class Tversky(_Overlap):
    """``v = 1 - sum(t p) / (sum(t p) + alpha sum(t (1 - p)) + beta sum((1 - t) p) + 1e-7)``.

    Args:
        alpha: the weight of what is missed.
        beta: the weight of what is found wrongly. (Both 0.5 give the Dice loss.)
        axis: as in `Dice`.
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: int | Sequence[int] | None = None,
        dtype: str | None = None,
    ):
        super().__init__(reduction, name, axis, dtype)
        self.alpha, self.beta = alpha, beta

    def factors(self):
        return 1, 1 - self.alpha - self.beta, self.alpha, self.beta


@register("losses")
def dice(y_true, y_pred, axis=None):
    """The values of `Dice`, of the axes that are left."""
    return Dice(None, axis=axis)(y_true, y_pred)


@register("losses")
def tversky(y_true, y_pred, alpha=0.5, beta=0.5, axis=None):
    """The values of `Tversky`, of the axes that are left."""
    return Tversky(alpha, beta, None, axis=axis)(y_true, y_pred)
