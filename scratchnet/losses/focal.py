"""Focal losses: cross-entropies that lose interest in what is predicted well already.

    v = (1 - p)^gamma * -log(p)                      p: the probability that was given to what is true

Where one class is everywhere (background) and the others are rare, the many easy samples drown the few hard ones; at
p = 0.9 and gamma = 2 a sample counts a hundredth of its cross-entropy. Lin et al., "Focal loss for dense object
detection", 2017. As for `crossentropy`, probabilities are cut to [1e-7, 1 - 1e-7], and what was cut has no derivative.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from scratchnet import config
from scratchnet.activations import sigmoid, softmax
from scratchnet.losses.along_axis import AlongAxis
from scratchnet.losses.checks import check_axis, check_smoothing
from scratchnet.losses.elementwise import ElementwiseLoss, RowLoss
from scratchnet.registry import register


class BinaryFocalCache(NamedTuple):
    t: Any
    p: Any  # the probabilities
    c: Any  # p after the cut
    bce: Any  # -t log(c) - (1 - t) log(1 - c)
    right: Any  # the probability of what is true: t p + (1 - t) (1 - p)
    w: Any  # the weight of the class


class CategoricalFocalCache(NamedTuple):
    t: Any
    s: Any  # sum of the probabilities over the classes, (N, ..., 1)
    q: Any  # probabilities / s
    c: Any  # q after the cut
    p: Any  # the probabilities


@register("losses")
class BinaryFocalCrossentropy(AlongAxis, ElementwiseLoss):
    """``v = mean(w (1 - p_t)^gamma * binary cross-entropy)`` with ``p_t = t p + (1 - t) (1 - p)``.

    Args:
        apply_class_balancing: whether there are weights ``w = t alpha + (1 - t) (1 - alpha)``; else w is 1.
        alpha: the weight of the class 1, in [0, 1].
        gamma: at least 0; 0 is the cross-entropy.
        from_logits: whether predictions are logits.
        label_smoothing: s in [0, 1]: targets become ``t (1 - s) + s / 2``.
        axis: the axis to average over, or several.
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int | Sequence[int] = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        self.apply_class_balancing = bool(apply_class_balancing)
        self.alpha, self.gamma = alpha, gamma
        self.from_logits = bool(from_logits)
        self.label_smoothing = check_smoothing(self, label_smoothing)
        self.axis = check_axis(self, axis, several=True)

    def for_kernel(self):
        if self.gamma != 2:
            return None
        weights = (self.alpha, 1 - self.alpha) if self.apply_class_balancing else (1, 1)
        return "binary_focal_crossentropy", (*weights, self.from_logits, config.epsilon())

    def values(self, y_true, y_pred):
        t = self.smoothed(y_true)
        p = sigmoid(y_pred) if self.from_logits else y_pred
        c = np.clip(p, config.epsilon(), 1 - config.epsilon())
        bce = -(t * np.log(c) + (1 - t) * np.log(1 - c))
        right = t * p + (1 - t) * (1 - p)
        w = t * self.alpha + (1 - t) * (1 - self.alpha) if self.apply_class_balancing else np.ones_like(t)
        v = w * (1 - right) ** self.gamma * bce
        return v.mean(axis=-1), BinaryFocalCache(t, p, c, bce, right, w)

    def gradient(self, dvalues, cache):
        t, p, c, bce, right, w = cache
        dbce = (c - t) / (c * (1 - c)) * (c == p)  # bce = -t log(c) - (1 - t) log(1 - c), c = cut(p)
        dp = w * ((1 - right) ** self.gamma * dbce - power_slope(1 - right, self.gamma) * (2 * t - 1) * bce)
        if self.from_logits:
            dp *= p * (1 - p)  # p = sigmoid(z)
        return dp * (dvalues * t.dtype.type(1 / t.shape[-1]))


@register("losses")
class CategoricalFocalCrossentropy(AlongAxis, RowLoss):
    """``v = sum over classes of alpha (1 - c)^gamma * -t log(c)`` for one-hot (or soft) targets t.

    c are the probabilities, divided by their sum, and cut.

    Args:
        alpha: a weight for all classes, or one for each.
        gamma: at least 0; 0 is the cross-entropy.
        from_logits: whether predictions are logits.
        label_smoothing: s in [0, 1]: targets become ``t (1 - s) + s / classes``; these are counted along
            `axis`, where Keras takes the last one's, with which targets along another would not add up to 1.
        axis: the axis of classes.
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int | Sequence[int] = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        self.alpha, self.gamma = alpha, gamma
        self.from_logits = bool(from_logits)
        self.label_smoothing = check_smoothing(self, label_smoothing)
        self.axis = check_axis(self, axis)

    def for_kernel(self):
        is_known = self.gamma in (0, 2) and np.ndim(self.alpha) == 0
        return ("categorical_crossentropy", (self.alpha, self.gamma, config.epsilon())) if is_known else None

    def values(self, y_true, y_pred):
        t = self.smoothed(y_true)
        p = softmax(y_pred) if self.from_logits else y_pred
        s = p.sum(axis=-1, keepdims=True)
        q = p / s
        c = np.clip(q, config.epsilon(), 1 - config.epsilon())
        v = -t * np.log(c) * (1 - c) ** self.gamma * self._alpha(c)
        return v.sum(axis=-1), CategoricalFocalCache(t, s, q, c, p)

    def gradient(self, dvalues, cache):
        t, s, q, c, p = cache
        slope = (1 - c) ** self.gamma / c - power_slope(1 - c, self.gamma) * np.log(c)
        dq = -t * self._alpha(c) * slope * (c == q)  # v = -sum(alpha t (1 - c)^gamma log(c)), c = cut(q)
        dp = (dq - (dq * q).sum(axis=-1, keepdims=True)) / s  # q = p / sum(p)
        if self.from_logits:
            dp = p * (dp - (dp * p).sum(axis=-1, keepdims=True))  # p = softmax(z)
        return dp * dvalues

    def total_and_gradient(self, y_true, y_pred, scale):
        if not self.from_logits or self.compiled() is None or y_pred.size == 0:
            return super().total_and_gradient(y_true, y_pred, scale)
        p, kept = softmax.forward(y_pred)
        total, dp = super().total_and_gradient(y_true, p, scale) or (None, None)
        return None if total is None else (total, softmax.backward(dp, kept))

    def _alpha(self, c):
        return np.asarray(self.alpha, dtype=c.dtype)


def power_slope(x, exponent):
    """The derivative of ``x^exponent``, x at least 0; 0 for the exponent 0, also at x = 0."""
    return exponent * x ** (exponent - 1) if exponent else np.zeros_like(x)


@register("losses")
def binary_focal_crossentropy(
    y_true,
    y_pred,
    apply_class_balancing=False,
    alpha=0.25,
    gamma=2.0,
    from_logits=False,
    label_smoothing=0.0,
    axis=-1,
):
    """The values of `BinaryFocalCrossentropy`, (N, ...) for predictions (N, ..., D)."""
    loss = BinaryFocalCrossentropy(apply_class_balancing, alpha, gamma, from_logits, label_smoothing, axis, None)
    return loss(y_true, y_pred)


@register("losses")
def categorical_focal_crossentropy(
    y_true, y_pred, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1
):
    """The values of `CategoricalFocalCrossentropy`, (N, ...) for predictions (N, ..., classes)."""
    return CategoricalFocalCrossentropy(alpha, gamma, from_logits, label_smoothing, axis, None)(y_true, y_pred)
