"""Metrics that are the mean of a loss's values."""

import numpy as np

from scratchnet import losses
from scratchnet.metrics.base import MeanMetricWrapper


class MeanSquaredError(MeanMetricWrapper):
    """The mean of the squared errors."""

    def __init__(self, name="mean_squared_error", dtype=None):
        super().__init__(losses.mean_squared_error, name, dtype)


class RootMeanSquaredError(MeanMetricWrapper):
    """The root of the mean of the squared errors."""

    def __init__(self, name="root_mean_squared_error", dtype=None):
        super().__init__(losses.mean_squared_error, name, dtype)

    def result(self):
        return float(np.sqrt(super().result()))


class MeanAbsoluteError(MeanMetricWrapper):
    """The mean of the absolute errors."""

    def __init__(self, name="mean_absolute_error", dtype=None):
        super().__init__(losses.mean_absolute_error, name, dtype)


class BinaryCrossentropy(MeanMetricWrapper):
    """The mean binary cross-entropy."""

    def __init__(self, name="binary_crossentropy", dtype=None, from_logits=False, label_smoothing=0):
        super().__init__(
            losses.binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )
        self.from_logits, self.label_smoothing = from_logits, label_smoothing


class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy with one-hot targets."""

    def __init__(self, name="categorical_crossentropy", dtype=None, from_logits=False, label_smoothing=0):
        super().__init__(
            losses.categorical_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )
        self.from_logits, self.label_smoothing = from_logits, label_smoothing


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy with integer labels."""

    def __init__(self, name="sparse_categorical_crossentropy", dtype=None, from_logits=False):
        super().__init__(losses.sparse_categorical_crossentropy, name, dtype, from_logits=from_logits)
        self.from_logits = from_logits


class KLDivergence(MeanMetricWrapper):
    """The mean Kullback-Leibler divergence."""

    def __init__(self, name="kl_divergence", dtype=None):
        super().__init__(losses.kl_divergence, name, dtype)


class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine of the angle between targets and predictions: 1 where they agree (the loss is its negative)."""

    def __init__(self, name="cosine_similarity", dtype=None):
        super().__init__(lambda y_true, y_pred: -losses.cosine_similarity(y_true, y_pred), name, dtype)
