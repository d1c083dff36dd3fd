"""Losses that compare two distributions or two directions along the last axis."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from scratchnet import config
from scratchnet.losses.along_axis import AlongAxis
from scratchnet.losses.checks import check_axis
from scratchnet.losses.elementwise import ElementwiseLoss, RowLoss
from scratchnet.registry import register

_SHORTEST = 1e-7  # a vector that is not longer is divided by this


class KLDivergenceCache(NamedTuple):
    t: Any
    p: Any
    inside: Any  # where p was not cut


class CosineSimilarityCache(NamedTuple):
    t: Any
    u: Any
    length: Any  # |y_pred|, (N, ..., 1)


@register("losses", "kld", "KLD", "kullback_leibler_divergence")
class KLDivergence(ElementwiseLoss):
    """``v = sum(t log(t / p))``, t and p cut to [1e-7, 1] (Kullback and Leibler 1951).

    The derivative is ``-t / p``, and 0 where p was cut.
    """

    is_mean = False

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)

    def for_kernel(self):
        return "kl_divergence", (config.epsilon(),)

    def values(self, y_true, y_pred):
        t = np.clip(y_true, config.epsilon(), 1)
        p = np.clip(y_pred, config.epsilon(), 1)
        return (t * np.log(t / p)).sum(axis=-1), KLDivergenceCache(t, p, p == y_pred)

    def gradient(self, dvalues, cache):
        t, p, inside = cache
        return -t / p * inside * dvalues


@register("losses")
class CosineSimilarity(AlongAxis, RowLoss):
    """``v = -cos(angle between y_true and y_pred)``: -1 where they point the same way.

        u = y_pred / |y_pred|,  t = y_true / |y_true|,  v = -sum(t u)         dy_pred = -(t - u sum(t u)) / |y_pred|

    Args:
        axis: the axis of the vectors, or several.
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        self.axis = check_axis(self, axis, several=True)

    def for_kernel(self):
        return "cosine_similarity", (_SHORTEST,)

    def values(self, y_true, y_pred):
        t, _ = _unit(y_true)
        u, length = _unit(y_pred)
        return -(t * u).sum(axis=-1), CosineSimilarityCache(t, u, length)

    def gradient(self, dvalues, cache):
        t, u, length = cache
        along = u * (t * u).sum(axis=-1, keepdims=True)
        along *= length > _SHORTEST  # a shorter vector is divided by a constant
        return (along - t) / length * dvalues


def _unit(a):
    """`a` divided by its length, and that length."""
    length = np.maximum(np.sqrt(np.square(a).sum(axis=-1, keepdims=True)), a.dtype.type(_SHORTEST))
    return a / length, length


@register("losses")
def kl_divergence(y_true, y_pred):
    """The values of `KLDivergence`, (N, ...) for predictions (N, ..., D)."""
    return KLDivergence(reduction=None)(y_true, y_pred)


@register("losses")
def cosine_similarity(y_true, y_pred, axis=-1):
    """The values of `CosineSimilarity`, (N, ...) for predictions (N, ..., D)."""
    return CosineSimilarity(axis, reduction=None)(y_true, y_pred)
