"""Losses for probabilities: cross-entropy, ``-log`` of the probability that was given to what is true.

Predictions are probabilities p, or with ``from_logits=True`` the numbers z before the sigmoid or softmax. From logits
the two functions are computed together, which loses no digits and makes the derivative ``p - t``.

Over probabilities everything is cut to [1e-7, 1 - 1e-7], as in Keras; where something was cut the derivative is 0. A
model that ends in the sigmoid or softmax is therefore trained on its logits, see `scratchnet.training.logits`.
"""

import copy
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from scratchnet import config, kernels
from scratchnet.activations import log_softmax, sigmoid, softmax
from scratchnet.losses.along_axis import AlongAxis
from scratchnet.losses.base import in_shape_of
from scratchnet.losses.checks import check_axis, check_labels, check_smoothing
from scratchnet.losses.elementwise import ElementwiseLoss, RowLoss
from scratchnet.registry import register


class LogitsCache(NamedTuple):
    t: Any  # targets, or labels (N, ..., 1)
    p: Any  # sigmoid(z) or softmax(z)


class BinaryCache(NamedTuple):
    t: Any
    p: Any
    inside: Any  # where p was not cut


class CategoricalCache(NamedTuple):
    t: Any
    s: Any  # sum of y_pred over the classes, (N, ..., 1)
    p: Any  # y_pred / s
    c: Any  # p after the cut


class SparseCache(NamedTuple):
    labels: Any  # (N, ..., 1)
    c: Any  # y_pred after the cut
    s: Any  # sum of c over the classes, (N, ..., 1)
    inside: Any  # where y_pred was not cut


class _OfProbabilities(AlongAxis):
    """Base of the losses that are better computed from the logits, before `activation` made probabilities of them."""

    activation = softmax

    @property
    def takes_logits(self):
        return not self.from_logits

    def on_logits(self, activation):
        for cls in type(self).__mro__:
            if "values" in vars(cls):  # a subclass with other values knows nothing of logits
                break
        if activation is not self.activation or cls.__module__ != __name__:
            return None
        if self.axis != -1 and activation is softmax:  # which is that of the last axis
            return None
        twin = copy.copy(self)
        twin.from_logits = True
        return twin


@register("losses", "bce", "BCE")
class BinaryCrossentropy(_OfProbabilities, ElementwiseLoss):
    """``v = mean(-t log(p) - (1 - t) log(1 - p))`` over the last axis, for targets t in [0, 1].

    Args:
        from_logits: whether predictions are logits z: ``v = mean(max(z, 0) - z t + log(1 + e^-|z|))``.
        label_smoothing: s in [0, 1]: targets become ``t (1 - s) + s / 2``.
        axis: the axis to average over, or several.
        reduction, name, dtype: see `Loss`.

    Warns of targets far outside of [0, 1]: such a loss has no minimum.
    """

    activation = sigmoid

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int | Sequence[int] = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        self.from_logits = bool(from_logits)
        self.label_smoothing = check_smoothing(self, label_smoothing)
        self.axis = check_axis(self, axis, several=True)

    def check_targets(self, y_true, y_pred):
        t = super().check_targets(y_true, y_pred)
        # A GAN's labels may be noisy or smoothed beyond 0 and 1 (Salimans et al. 2016); -1 and +1, or bytes, are none.
        # False for NaN, which shows in the value.
        if t.size and (t.min() <= -0.5 or t.max() >= 1.5):
            message = f'BinaryCrossentropy "{self.name}": targets should lie between 0 and 1'
            warnings.warn(f"{message}; bytes are divided by 255 first, -1 and +1 become (y + 1) / 2", stacklevel=2)
        return t

    def for_kernel(self):
        return ("logistic", ()) if self.from_logits else ("binary_crossentropy", (config.epsilon(),))

    def values(self, y_true, y_pred):
        t = self.smoothed(y_true)
        if self.from_logits:
            z = y_pred
            e = np.exp(-np.abs(z))  # does not overflow; with it both log(1 + e^z) - z t and sigmoid(z) are stable
            v = np.maximum(z, 0) - z * t + np.log1p(e)
            p = np.maximum(e, z >= 0) / (1 + e)  # 1 / (1 + e^-z), or e^z / (1 + e^z)
            return v.mean(axis=-1), LogitsCache(t, p)
        p = _cut(y_pred)
        log_p = np.log(p)
        log_p *= t
        log_q = np.subtract(1, p)
        np.log(log_q, out=log_q)
        log_q *= 1 - t
        log_p += log_q  # t log(p) + (1 - t) log(1 - p)
        return -log_p.mean(axis=-1), BinaryCache(t, p, p == y_pred)

    def gradient(self, dvalues, cache):
        dvalues = dvalues / cache.t.dtype.type(cache.t.shape[-1])  # the mean over the last axis
        if self.from_logits:
            t, p = cache
            return (p - t) * dvalues
        t, p, inside = cache
        variance = 1 - p
        variance *= p
        d = p - t
        d /= variance  # -t / p + (1 - t) / (1 - p)
        d *= dvalues
        d *= inside  # the cut
        return d

    def total(self, y_true, y_pred):
        t = in_shape_of(y_pred, y_true)
        is_plain = self.from_logits and not self.label_smoothing and y_pred.dtype == np.float32
        if t is None or kernels.sum_of_logistic_losses is None or not is_plain:
            return super().total(y_true, y_pred)
        total = kernels.sum_of_logistic_losses(y_pred, t.astype(y_pred.dtype, copy=False))
        return None if total is None else total / max(y_pred.shape[-1], 1)


@register("losses")
class CategoricalCrossentropy(_OfProbabilities, RowLoss):
    """``v = -sum over classes of t log(p)`` for one-hot (or soft) targets t.

    Probabilities are first divided by their sum: ``p = y / s`` with ``s = sum(y)``.

    Args:
        from_logits: whether predictions are logits: ``log p = log_softmax(z)``.
        label_smoothing: s in [0, 1]: targets become ``t (1 - s) + s / classes``; these are counted along
            `axis`, where Keras takes the last one's, with which targets along another would not add up to 1.
        axis: the axis of classes.
        reduction, name, dtype: see `Loss`.

    Warns, as Keras does, where there is only one class: its probability is always 1.
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int | Sequence[int] = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        self.from_logits = bool(from_logits)
        self.label_smoothing = check_smoothing(self, label_smoothing)
        self.axis = check_axis(self, axis)

    def check_targets(self, y_true, y_pred):
        if y_pred.ndim < 2:
            raise self.error(f"predictions need an axis of classes behind the batch axis, got shape {y_pred.shape}")
        if y_true.shape != y_pred.shape:
            hint = ""
            if y_true.shape in (y_pred.shape[:-1], (*y_pred.shape[:-1], 1)):
                hint = "; integer labels need sparse_categorical_crossentropy, or to_categorical first"
            raise self.error(f"targets of shape {y_true.shape} do not match predictions of shape {y_pred.shape}{hint}")
        y_true = self.in_rows(y_true)
        if y_true.shape[-1] == 1:
            message = f'CategoricalCrossentropy "{self.name}": one class only; two classes need binary_crossentropy'
            warnings.warn(message, SyntaxWarning, stacklevel=2)
        return y_true.astype(y_pred.dtype, copy=False)

    def for_kernel(self):
        return (
            None
            if self.from_logits
            else (
                "categorical_crossentropy",
                (
                    1,
                    0,
                    config.epsilon(),
                ),
            )
        )

    def values(self, y_true, y_pred):
        t = self.smoothed(y_true)
        if self.from_logits:
            log_p, _ = log_softmax.forward(y_pred)
            return -(t * log_p).sum(axis=-1), LogitsCache(t, np.exp(log_p))
        s = y_pred.sum(axis=-1, keepdims=True)
        p = y_pred / s
        c = _cut(p)
        return -(t * np.log(c)).sum(axis=-1), CategoricalCache(t, s, p, c)

    def gradient(self, dvalues, cache):
        if self.from_logits:
            t, p = cache
            return (p * t.sum(axis=-1, keepdims=True) - t) * dvalues
        t, s, p, c = cache
        dp = -t / c  # v = -sum(t log(c))
        dp *= c == p  # c = cut(p)
        return (dp - (dp * p).sum(axis=-1, keepdims=True)) / s * dvalues  # p = y / sum(y)

    def total(self, y_true, y_pred):
        if kernels.sum_of_soft_losses is None or not self._are_logits(y_true, y_pred):
            return super().total(y_true, y_pred)
        return kernels.sum_of_soft_losses(*self._rows(y_true, y_pred))

    def total_and_gradient(self, y_true, y_pred, scale):
        if kernels.soft_losses_and_slopes is None or not self._are_logits(y_true, y_pred):
            return super().total_and_gradient(y_true, y_pred, scale)
        total, dy_pred = kernels.soft_losses_and_slopes(*self._rows(y_true, y_pred), scale)
        return total, dy_pred.reshape(y_pred.shape)

    def _are_logits(self, y_true, y_pred):
        return self.from_logits and y_true.shape == y_pred.shape and y_pred.ndim > 1 and y_pred.shape[-1] > 1

    def _rows(self, y_true, y_pred):
        rows = -1, y_pred.shape[-1]
        return y_pred.reshape(rows), self.smoothed(y_true.astype(y_pred.dtype, copy=False)).reshape(rows)


@register("losses")
class SparseCategoricalCrossentropy(_OfProbabilities, RowLoss):
    """``v = -log(p[label])``: the cross-entropy for integer labels (N, ...) or (N, ..., 1).

    Probabilities are first cut, to c, and then divided by their sum: ``v = log(sum(c)) - log(c[label])``. Keras does it
    in this order on TensorFlow, in the other on its other backends; it only shows where something is cut.

    Args:
        from_logits: whether predictions are logits.
        ignore_class: a label whose samples do not count, neither in the sum nor in the number it is divided by.
        axis: the axis of classes.
        reduction, name, dtype: see `Loss`.

    Raises ValueError for a label that is not an integer or is outside the classes, TypeError for no numbers at all.
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int | Sequence[int] = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        self.from_logits = bool(from_logits)
        self.ignore_class = ignore_class
        self.axis = check_axis(self, axis)

    def check_targets(self, y_true, y_pred):
        return check_labels(self, y_true, self.in_rows(y_pred), self.ignore_class)

    def values_shape(self, targets_shape, ndim):  # labels have no axis of classes
        return targets_shape[: ndim - 1]

    def for_kernel(self):
        is_plain = not self.from_logits and self.ignore_class is None
        return ("sparse_categorical_crossentropy", (config.epsilon(),)) if is_plain else None

    def valid(self, y_true, shape):
        return None if self.ignore_class is None else y_true.reshape(shape) != self.ignore_class

    def values(self, y_true, y_pred):
        labels = y_true[..., None]  # (N, ..., 1)
        if self.ignore_class is not None:
            valid = labels != self.ignore_class
            labels, y_pred = np.where(valid, labels, 0), np.where(valid, y_pred, 0)
        labels = labels.astype(np.int64, copy=False)
        if self.from_logits:
            log_p, _ = log_softmax.forward(y_pred)
            return -_of_labels(log_p, labels)[..., 0], LogitsCache(labels, np.exp(log_p))
        c = _cut(y_pred)
        s = c.sum(axis=-1, keepdims=True)
        v = np.log(s) - np.log(_of_labels(c, labels))  # (N, ..., 1)
        return v[..., 0], SparseCache(labels, c, s, c == y_pred)

    def gradient(self, dvalues, cache):
        if self.from_logits:
            labels, p = cache
            d = p.copy()
            d.reshape(-1, d.shape[-1])[_places(labels)] -= 1  # p - one_hot(label)
            return d * dvalues
        labels, c, s, inside = cache
        d = np.broadcast_to(1 / s, c.shape).copy()  # v = log(s) - log(c[label])
        d.reshape(-1, d.shape[-1])[_places(labels)] -= 1 / _of_labels(c, labels).reshape(-1)
        d *= inside  # c = cut(y_pred)
        return d * dvalues

    def total(self, y_true, y_pred):
        if kernels.sum_of_softmax_losses is None or not self._are_plain(y_true, y_pred):
            return super().total(y_true, y_pred)
        return kernels.sum_of_softmax_losses(*self._rows(y_true, y_pred))

    def total_and_gradient(self, y_true, y_pred, scale):
        if kernels.softmax_losses_and_slopes is None or not self._are_plain(y_true, y_pred):
            return super().total_and_gradient(y_true, y_pred, scale)
        total, dy_pred = kernels.softmax_losses_and_slopes(*self._rows(y_true, y_pred), scale)
        return total, dy_pred.reshape(y_pred.shape)

    def _are_plain(self, y_true, y_pred):
        fit = y_pred.ndim > 1 and y_true.shape in (y_pred.shape[:-1], (*y_pred.shape[:-1], 1))
        are_labels = fit and y_true.dtype.kind in "iu" and y_pred.shape[-1] > 0
        return are_labels and self.from_logits and self.ignore_class is None

    def _rows(self, y_true, y_pred):
        return y_pred.reshape(-1, y_pred.shape[-1]), y_true.reshape(-1).astype(np.int64, copy=False)


def _places(labels):
    """Where the labels (N, ..., 1) stand in predictions (N, ..., K), taken as one row for each sample."""
    return np.arange(labels.size), labels.reshape(-1)


def _of_labels(x, labels):
    """What the predictions x (N, ..., K) say of each label: (N, ..., 1)."""
    return x.reshape(-1, x.shape[-1])[_places(labels)].reshape(labels.shape)


def _cut(p):
    return np.clip(p, config.epsilon(), 1 - config.epsilon())


@register("losses")
def binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """The values of `BinaryCrossentropy`, (N, ...) for predictions (N, ..., D)."""
    return BinaryCrossentropy(from_logits, label_smoothing, axis, reduction=None)(y_true, y_pred)


@register("losses")
def categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """The values of `CategoricalCrossentropy`, (N, ...) for predictions (N, ..., classes)."""
    return CategoricalCrossentropy(from_logits, label_smoothing, axis, reduction=None)(y_true, y_pred)


@register("losses")
def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    """The values of `SparseCategoricalCrossentropy`, (N, ...) for predictions (N, ..., classes); 0 where ignored."""
    return SparseCategoricalCrossentropy(from_logits, ignore_class, reduction=None, axis=axis)(y_true, y_pred)
