"""Metrics: figures that are gathered over the batches of an epoch, under Keras's names."""

from typing import TYPE_CHECKING

from scratchnet import losses, registry
from scratchnet.losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from scratchnet.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from scratchnet.metrics.auc import AUC
from scratchnet.metrics.base import Metric
from scratchnet.metrics.confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    PrecisionAtRecall,
    Recall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
    TrueNegatives,
    TruePositives,
)
from scratchnet.metrics.correlation import (
    ConcordanceCorrelation,
    PearsonCorrelation,
    concordance_correlation,
    pearson_correlation,
)
from scratchnet.metrics.f_score import F1Score, FBetaScore
from scratchnet.metrics.from_losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from scratchnet.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from scratchnet.metrics.r2 import R2Score
from scratchnet.metrics.reduction import Mean, MeanMetricWrapper, Sum
from scratchnet.missing import refusal

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "BinaryIoU",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "ConcordanceCorrelation",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "IoU",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanIoU",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "OneHotIoU",
    "OneHotMeanIoU",
    "PearsonCorrelation",
    "Poisson",
    "Precision",
    "PrecisionAtRecall",
    "R2Score",
    "Recall",
    "RecallAtPrecision",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SpecificityAtSensitivity",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "binary_accuracy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "concordance_correlation",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "pearson_correlation",
    "poisson",
    "resolve_accuracy",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]
if not TYPE_CHECKING:
    __getattr__ = refusal(__name__)


def __dir__():
    return __all__


def get(identifier):
    """The Metric that an entry of compile's ``metrics=`` means: a name, Metric, class, config, Loss or function.

    A function takes (y_true, y_pred) and gives a value for each sample; its mean is shown under its name.
    Raises ValueError for an unknown name, TypeError for anything else.
    """
    found = identifier if isinstance(identifier, losses.Loss) else registry.get("metrics", identifier)
    if isinstance(found, Metric):
        return found
    if isinstance(found, losses.Loss):
        values = type(found).from_config({**found.get_config(), "reduction": "none"})
        return MeanMetricWrapper(values, name=found.name)
    if found is None:
        return None
    return MeanMetricWrapper(found, name=getattr(found, "__name__", type(found).__name__))


def resolve_accuracy(name, y_true_shape, y_pred_shape):
    """The metric that "accuracy" or "crossentropy" means for targets and predictions of these shapes, as in Keras.

    One output value: binary. Targets without the axis of classes (or with one of size 1): sparse. Else categorical.
    The metric keeps the name: "acc" stays "acc". Raises ValueError for any other name.
    """
    if y_pred_shape[-1] == 1:
        kind = 0
    elif len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1:
        kind = 1
    else:
        kind = 2
    if name.lower() in ("accuracy", "acc"):
        return (BinaryAccuracy, SparseCategoricalAccuracy, CategoricalAccuracy)[kind](name=name)
    if name.lower() in ("crossentropy", "ce"):
        return (BinaryCrossentropy, SparseCategoricalCrossentropy, CategoricalCrossentropy)[kind](name=name)
    raise ValueError(f'{name!r} does not depend on shapes: only "accuracy", "acc", "crossentropy" and "ce" do')


def serialize(metric):
    """The metric's class and arguments as JSON-able values, or the name of a plain function."""
    if isinstance(metric, Metric):
        return registry.serialize(metric)
    if callable(metric):
        return registry.get_registered_name(metric)
    raise TypeError(f"cannot serialize {metric!r}: it is neither a Metric nor a function")


def deserialize(config, custom_objects=None):
    """The metric, or the function, that `serialize` described. Raises ValueError for what is unknown."""
    with registry.CustomObjectScope(custom_objects):
        if isinstance(config, str):
            found = registry.function(config, "metrics", "losses")
            if found is not None:
                return found
        return get(config)
