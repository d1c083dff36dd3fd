"""Metrics that are the mean of a loss's values. Formulas, arguments and what is refused are those of the loss."""

from collections.abc import Sequence

import numpy as np

from scratchnet import losses
from scratchnet.losses.weights import expanded_weights
from scratchnet.metrics.reduction import Mean, MeanMetricWrapper
from scratchnet.registry import register


@register("metrics", "mse", "MSE")
class MeanSquaredError(MeanMetricWrapper):
    """The mean of the squared errors."""

    def __init__(self, name: str | None = "mean_squared_error", dtype: str | None = None):
        super().__init__(losses.mean_squared_error, name, dtype)


@register("metrics", "rmse", "RMSE")
class RootMeanSquaredError(Mean):
    """The root of the mean of the squared errors; a weight may belong to a single error, as in Keras."""

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: str | None = None):
        super().__init__(name, dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count in one batch."""
        errors = losses.mean_squared_error(np.expand_dims(y_true, -1), np.expand_dims(y_pred, -1))  # each by itself
        super().update_state(errors, sample_weight)

    def result(self):
        return float(np.sqrt(super().result()))


@register("metrics", "mae", "MAE")
class MeanAbsoluteError(MeanMetricWrapper):
    """The mean of the absolute errors."""

    def __init__(self, name: str | None = "mean_absolute_error", dtype: str | None = None):
        super().__init__(losses.mean_absolute_error, name, dtype)


@register("metrics", "mape", "MAPE")
class MeanAbsolutePercentageError(MeanMetricWrapper):
    """The mean of the absolute errors in percent of the targets."""

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: str | None = None):
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


@register("metrics", "msle", "MSLE")
class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """The mean of the squared errors of logarithms."""

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: str | None = None):
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


@register("metrics", "logcosh", "log_cosh")
class LogCoshError(MeanMetricWrapper):
    """The mean of the logarithms of the errors' hyperbolic cosine."""

    def __init__(self, name: str | None = "logcosh", dtype: str | None = None):
        super().__init__(losses.log_cosh, name, dtype)


@register("metrics")
class Poisson(MeanMetricWrapper):
    """The mean Poisson loss."""

    def __init__(self, name: str | None = "poisson", dtype: str | None = None):
        super().__init__(losses.poisson, name, dtype)


@register("metrics")
class Hinge(MeanMetricWrapper):
    """The mean hinge loss."""

    def __init__(self, name: str | None = "hinge", dtype: str | None = None):
        super().__init__(losses.hinge, name, dtype)


@register("metrics")
class SquaredHinge(MeanMetricWrapper):
    """The mean squared hinge loss."""

    def __init__(self, name: str | None = "squared_hinge", dtype: str | None = None):
        super().__init__(losses.squared_hinge, name, dtype)


@register("metrics")
class CategoricalHinge(MeanMetricWrapper):
    """The mean categorical hinge loss."""

    def __init__(self, name: str | None = "categorical_hinge", dtype: str | None = None):
        super().__init__(losses.categorical_hinge, name, dtype)


@register("metrics", "bce", "BCE")
class BinaryCrossentropy(MeanMetricWrapper):
    """The mean binary cross-entropy."""

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ):
        super().__init__(
            losses.binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )
        self.from_logits, self.label_smoothing = from_logits, label_smoothing


@register("metrics")
class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy with one-hot targets."""

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int | Sequence[int] = -1,
    ):
        super().__init__(
            losses.categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis


@register("metrics")
class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy with integer labels.

    As in Keras, samples of `ignore_class` count as 0 where there are no weights, and not at all where there are.
    """

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int | Sequence[int] = -1,
    ):
        super().__init__(
            losses.sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits, self.ignore_class, self.axis = from_logits, ignore_class, axis

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count in one batch."""
        if sample_weight is not None and self.ignore_class is not None:
            shape = np.shape(y_pred)[:-1]
            weights = expanded_weights(sample_weight, shape)
            if weights is not None:  # else told below
                sample_weight = weights * (np.reshape(y_true, shape) != self.ignore_class)
        super().update_state(y_true, y_pred, sample_weight)


@register("metrics", "kld", "KLD")
class KLDivergence(MeanMetricWrapper):
    """The mean Kullback-Leibler divergence."""

    def __init__(self, name: str | None = "kl_divergence", dtype: str | None = None):
        super().__init__(losses.kl_divergence, name, dtype)


@register("metrics")
class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine of the angle between targets and predictions: 1 where they agree (the loss is its negative)."""

    def __init__(
        self, name: str | None = "cosine_similarity", dtype: str | None = None, axis: int | Sequence[int] = -1
    ):
        super().__init__(_cosine, name, dtype, axis=axis)
        self.axis = axis


def _cosine(y_true, y_pred, axis):
    return -losses.cosine_similarity(y_true, y_pred, axis)
