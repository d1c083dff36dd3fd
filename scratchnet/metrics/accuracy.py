"""How often the prediction is right. The functions give 1.0 or 0.0 for each sample; the classes their mean."""

import warnings

import numpy as np

from scratchnet import config
from scratchnet.losses.base import in_shape_of
from scratchnet.metrics.reduction import MeanMetricWrapper
from scratchnet.registry import register


@register("metrics")
def accuracy(y_true, y_pred):
    """1.0 where target and prediction are equal."""
    y_true, y_pred = _same_shape(y_true, y_pred, "accuracy")
    return _as_float(y_true == y_pred)


@register("metrics")
def binary_accuracy(y_true, y_pred, threshold=0.5):
    """1.0 where the prediction is on the target's side of `threshold`."""
    y_true, y_pred = _same_shape(y_true, y_pred, "binary_accuracy")
    if threshold > 0 and y_true.size and y_true.min() == -1:
        warnings.warn("binary_accuracy: -1 is no class; labels -1 and +1 become (y + 1) / 2", stacklevel=2)
    return _as_float((y_pred > threshold) == y_true)


@register("metrics")
def categorical_accuracy(y_true, y_pred):
    """1.0 where the largest prediction is at the place of the one in one-hot targets (N, ..., classes)."""
    y_true, y_pred = _same_classes(y_true, y_pred, "categorical_accuracy")
    return _as_float(y_true.argmax(axis=-1) == y_pred.argmax(axis=-1))


@register("metrics")
def sparse_categorical_accuracy(y_true, y_pred):
    """1.0 where the largest prediction is at the place of the label (N, ...), or (N, ..., 1)."""
    labels, y_pred = _labels(y_true, y_pred, "sparse_categorical_accuracy")
    return _as_float(labels == y_pred.argmax(axis=-1))


@register("metrics")
def top_k_categorical_accuracy(y_true, y_pred, k=5):
    """1.0 where the true class of one-hot targets is among the `k` largest predictions."""
    y_true, y_pred = _same_classes(y_true, y_pred, "top_k_categorical_accuracy")
    return sparse_top_k_categorical_accuracy(y_true.argmax(axis=-1), y_pred, k)


@register("metrics")
def sparse_top_k_categorical_accuracy(y_true, y_pred, k=5, from_sorted_ids=False):
    """1.0 where fewer than `k` predictions are larger than that of the label; 0.0 for a label outside the classes.

    With `from_sorted_ids`, predictions are not scores, but labels, the best first; the label is one of the first k.
    """
    labels, y_pred = _labels(y_true, y_pred, "sparse_top_k_categorical_accuracy")
    if from_sorted_ids:
        return _as_float((y_pred[..., :k] == labels[..., None]).any(axis=-1))
    inside = (labels >= 0) & (labels < y_pred.shape[-1])
    labels = np.where(inside, labels, 0).astype(np.int64)
    own = np.take_along_axis(y_pred, labels[..., None], axis=-1)  # (N, ..., 1)
    among = (y_pred > own).sum(axis=-1) < k
    return _as_float(among & inside & np.isfinite(y_pred).all(axis=-1))  # nothing is larger than NaN


def _same_shape(y_true, y_pred, owner):
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    matched = in_shape_of(y_pred, y_true)
    if matched is None:
        raise ValueError(f"{owner}: targets of shape {y_true.shape} do not match predictions of shape {y_pred.shape}")
    return matched, y_pred


def _same_classes(y_true, y_pred, owner):
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if y_true.shape != y_pred.shape:
        raise ValueError(f"{owner}: targets of shape {y_true.shape} do not match predictions of shape {y_pred.shape}")
    return y_true, y_pred


def _labels(y_true, y_pred, owner):
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if y_true.shape not in (y_pred.shape[:-1], (*y_pred.shape[:-1], 1)):
        raise ValueError(f"{owner}: labels of shape {y_true.shape} do not match predictions of shape {y_pred.shape}")
    return y_true.reshape(y_pred.shape[:-1]), y_pred


def _as_float(right):
    return right.astype(config.floatx())


@register("metrics")
class Accuracy(MeanMetricWrapper):
    """The share of predictions that equal their targets."""

    def __init__(self, name: str | None = "accuracy", dtype: str | None = None):
        super().__init__(accuracy, name, dtype)


@register("metrics")
class BinaryAccuracy(MeanMetricWrapper):
    """The share of predictions on the right side of `threshold`."""

    def __init__(self, name: str | None = "binary_accuracy", dtype: str | None = None, threshold: float = 0.5):
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)
        self.threshold = threshold


@register("metrics")
class CategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose most probable class is the one of their one-hot target."""

    def __init__(self, name: str | None = "categorical_accuracy", dtype: str | None = None):
        super().__init__(categorical_accuracy, name, dtype)


@register("metrics")
class SparseCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose most probable class is their label."""

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: str | None = None):
        super().__init__(sparse_categorical_accuracy, name, dtype)


@register("metrics")
class TopKCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose class (one-hot) is among the `k` most probable."""

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: str | None = None):
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)
        self.k = k


@register("metrics")
class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose label is among the `k` most probable classes.

    With `from_sorted_ids`, predictions are labels, the best first, instead of scores.
    """

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: str | None = None,
        from_sorted_ids: bool = False,
    ):
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)
        self.k, self.from_sorted_ids = k, bool(from_sorted_ids)
