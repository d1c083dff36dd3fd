"""Losses for probabilities: cross-entropy, ``-log`` of the probability that was given to what is true.

Predictions are probabilities p, or with ``from_logits=True`` the numbers z before the sigmoid or softmax. From logits
the two functions are computed together, which loses no digits and makes the derivative ``p - t``.

Over probabilities everything is cut to [1e-7, 1 - 1e-7] first, as in Keras; where something was cut the derivative is 0.
"""

import numpy as np

from scratchnet import config
from scratchnet.activations import log_softmax, sigmoid
from scratchnet.losses.base import Loss, over_last_axis


class BinaryCrossentropy(Loss):
    """``v = mean(-t log(p) - (1 - t) log(1 - p))`` over the last axis, for targets t in [0, 1].

    Args:
        from_logits: whether predictions are logits z: ``v = mean(max(z, 0) - z t + log(1 + e^-|z|))``.
        label_smoothing: s in [0, 1]: targets become ``t (1 - s) + s / 2``.
        axis: the axis to average over; only the last is supported.
        reduction, name, dtype: see `Loss`.

    Raises ValueError for targets outside [0, 1].
    """

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name=None,
        dtype=None,
    ):
        super().__init__(reduction, name, dtype)
        self.from_logits = bool(from_logits)
        self.label_smoothing = _check_smoothing(self, label_smoothing)
        self.axis = _check_axis(self, axis)

    def values(self, y_true, y_pred):
        t = y_true.astype(y_pred.dtype, copy=False)
        if t.size and not (t.min() >= 0 and t.max() <= 1):
            raise self.error(
                f"targets must lie between 0 and 1, got {t.min():g} to {t.max():g}; bytes are divided by 255 first"
            )
        if self.label_smoothing:
            t = t * (1 - self.label_smoothing) + self.label_smoothing / 2
        if self.from_logits:
            z = y_pred
            v = np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))
        else:
            p = np.clip(y_pred, config.epsilon(), 1 - config.epsilon())
            v = np.log(p)  # -v = t log(p) + (1 - t) log(1 - p), built up in place
            v *= t
            q = np.subtract(1, p)
            np.log(q, out=q)
            q *= 1 - t
            v += q
            np.negative(v, out=v)
        return (v.mean(axis=-1) if v.ndim > 1 else v), (t, y_pred)

    def gradient(self, dvalues, cache):
        t, y_pred = cache
        scale = over_last_axis(dvalues / t.dtype.type(t.shape[-1] if t.ndim > 1 else 1), t.ndim)
        if self.from_logits:
            return (sigmoid(y_pred) - t) * scale
        low, high = y_pred.dtype.type(config.epsilon()), y_pred.dtype.type(1 - config.epsilon())
        p = np.clip(y_pred, low, high)
        d = (p - t) / (p * (1 - p))  # -t / p + (1 - t) / (1 - p)
        d *= scale
        d *= (y_pred >= low) & (y_pred <= high)  # the clip
        return d


class CategoricalCrossentropy(Loss):
    """``v = -sum over classes of t log(p)`` for one-hot (or soft) targets t.

    Probabilities are first divided by their sum: ``p = y / s`` with ``s = sum(y)``.

    Args:
        from_logits: whether predictions are logits: ``log p = log_softmax(z)``.
        label_smoothing: s in [0, 1]: targets become ``t (1 - s) + s / classes``.
        axis: the axis of classes; only the last is supported.
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name=None,
        dtype=None,
    ):
        super().__init__(reduction, name, dtype)
        self.from_logits = bool(from_logits)
        self.label_smoothing = _check_smoothing(self, label_smoothing)
        self.axis = _check_axis(self, axis)

    def check_shapes(self, y_true, y_pred):
        if y_true.shape != y_pred.shape:
            hint = ""
            if y_true.shape in (y_pred.shape[:-1], (*y_pred.shape[:-1], 1)):
                hint = "; integer labels need sparse_categorical_crossentropy, or to_categorical first"
            raise self.error(f"targets of shape {y_true.shape} do not match predictions of shape {y_pred.shape}{hint}")
        if y_pred.ndim < 2:
            raise self.error(f"predictions need an axis of classes behind the batch axis, got shape {y_pred.shape}")
        return y_true

    def values(self, y_true, y_pred):
        t = y_true.astype(y_pred.dtype, copy=False)
        if self.label_smoothing:
            t = t * (1 - self.label_smoothing) + self.label_smoothing / t.shape[-1]
        if self.from_logits:
            log_p = log_softmax(y_pred)
            return -(t * log_p).sum(axis=-1), (t, log_p, None)
        s = y_pred.sum(axis=-1, keepdims=True)
        p = y_pred / s
        return -(t * np.log(_clip(p))).sum(axis=-1), (t, p, s)

    def gradient(self, dvalues, cache):
        t, p, s = cache
        dvalues = over_last_axis(dvalues, t.ndim)
        if self.from_logits:
            return (np.exp(p) * t.sum(axis=-1, keepdims=True) - t) * dvalues  # here p holds log p
        dp = np.where(_is_inside(p), -t / _clip(p), 0)  # v = -sum(t log(p))
        return (dp - (dp * p).sum(axis=-1, keepdims=True)) / s * dvalues  # p = y / sum(y)


class SparseCategoricalCrossentropy(Loss):
    """``v = -log(p[label])``: `CategoricalCrossentropy` for integer labels.

    Args:
        from_logits: whether predictions are logits.
        ignore_class: a label whose samples do not count, neither in the sum nor in the number it is divided by.
        axis: the axis of classes; only the last is supported.
        reduction, name, dtype: see `Loss`.

    Raises ValueError for a label that is not an integer or is outside the classes.
    """

    def __init__(
        self,
        from_logits=False,
        ignore_class=None,
        reduction="sum_over_batch_size",
        axis=-1,
        name=None,
        dtype=None,
    ):
        super().__init__(reduction, name, dtype)
        self.from_logits = bool(from_logits)
        self.ignore_class = ignore_class
        self.axis = _check_axis(self, axis)

    def check_shapes(self, y_true, y_pred):
        if y_pred.ndim < 2:
            raise self.error(f"predictions need an axis of classes behind the batch axis, got shape {y_pred.shape}")
        if y_true.shape == (*y_pred.shape[:-1], 1):
            y_true = y_true[..., 0]
        if y_true.shape != y_pred.shape[:-1]:
            hint = "; one-hot targets need categorical_crossentropy" if y_true.shape == y_pred.shape else ""
            raise self.error(f"labels of shape {y_true.shape} do not match predictions of shape {y_pred.shape}{hint}")
        return y_true

    def valid(self, y_true, shape):
        return None if self.ignore_class is None else y_true.reshape(shape) != self.ignore_class

    def values(self, y_true, y_pred):
        labels = self._labels(y_true, y_pred.shape[-1])[..., None]  # (N, ..., 1)
        if self.from_logits:
            log_p = log_softmax(y_pred)
            return -np.take_along_axis(log_p, labels, axis=-1)[..., 0], (labels, log_p, None)
        s = y_pred.sum(axis=-1, keepdims=True)
        p = y_pred / s
        return -np.log(_clip(np.take_along_axis(p, labels, axis=-1)))[..., 0], (labels, p, s)

    def gradient(self, dvalues, cache):
        labels, p, s = cache
        dvalues = over_last_axis(dvalues, p.ndim)
        if self.from_logits:
            d = np.exp(p)  # here p holds log p: softmax(z) - one_hot(label)
            np.put_along_axis(d, labels, np.take_along_axis(d, labels, axis=-1) - 1, axis=-1)
            return d * dvalues
        p_true = np.take_along_axis(p, labels, axis=-1)  # (N, ..., 1)
        dp_true = np.where(_is_inside(p_true), -1 / _clip(p_true), 0)  # v = -log(p_true)
        # p_true = y_true / s: its derivative is (1 - p_true) / s by y_true, and -p_true / s by every other y.
        d = np.broadcast_to(-dp_true * p_true, p.shape).copy()
        np.put_along_axis(d, labels, dp_true * (1 - p_true), axis=-1)
        return d / s * dvalues

    def _labels(self, y_true, classes):
        labels = y_true
        if labels.dtype.kind not in "iu":
            labels = y_true.astype(np.int64)
            if (labels != y_true).any():
                raise self.error(f"labels must be integers, got {y_true[labels != y_true].flat[0]}")
        if self.ignore_class is not None:
            labels = np.where(labels == self.ignore_class, 0, labels)
        if labels.size and (labels.min() < 0 or labels.max() >= classes):
            wrong = labels.min() if labels.min() < 0 else labels.max()
            raise self.error(f"label {wrong} is outside the {classes} classes of the predictions (0 to {classes - 1})")
        return labels.astype(np.int64, copy=False)


def _check_smoothing(loss, value):
    if not 0 <= value <= 1:
        raise loss.error(f"label_smoothing must be between 0 and 1, got {value!r}")
    return value


def _check_axis(loss, axis):
    if axis != -1:
        raise loss.error(f"only axis=-1 is implemented, got {axis!r}")
    return axis


def _clip(p):
    return np.clip(p, config.epsilon(), 1 - config.epsilon())


def _is_inside(p):
    return (p >= p.dtype.type(config.epsilon())) & (p <= p.dtype.type(1 - config.epsilon()))
