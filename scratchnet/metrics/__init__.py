"""Metrics: figures that are gathered over the batches of an epoch, under Keras's names."""

from scratchnet import losses
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
from scratchnet.metrics.base import Mean, MeanMetricWrapper, Metric
from scratchnet.metrics.confusion import Precision, Recall
from scratchnet.metrics.from_losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CosineSimilarity,
    KLDivergence,
    MeanAbsoluteError,
    MeanSquaredError,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
)

_CLASSES = {
    cls.__name__: cls
    for cls in (
        Accuracy,
        BinaryAccuracy,
        BinaryCrossentropy,
        CategoricalAccuracy,
        CategoricalCrossentropy,
        CosineSimilarity,
        KLDivergence,
        Mean,
        MeanAbsoluteError,
        MeanSquaredError,
        Precision,
        Recall,
        RootMeanSquaredError,
        SparseCategoricalAccuracy,
        SparseCategoricalCrossentropy,
        SparseTopKCategoricalAccuracy,
        TopKCategoricalAccuracy,
    )
}
_NAMES = {cls().name: cls for cls in _CLASSES.values()}
_ALIASES = {
    "mse": MeanSquaredError,
    "MSE": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "MAE": MeanAbsoluteError,
    "rmse": RootMeanSquaredError,
    "RMSE": RootMeanSquaredError,
    "bce": BinaryCrossentropy,
    "BCE": BinaryCrossentropy,
    "kld": KLDivergence,
    "KLD": KLDivergence,
}

__all__ = [
    *_CLASSES,
    "MeanMetricWrapper",
    "Metric",
    "binary_accuracy",
    "categorical_accuracy",
    "deserialize",
    "get",
    "resolve_accuracy",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]


def get(identifier):
    """The Metric that an entry of compile's ``metrics=`` means: a name, a Metric, a class, a loss, a function, a config.

    A function takes (y_true, y_pred) and gives a value for each sample; its mean is shown under its name.
    Raises ValueError for an unknown name, TypeError for anything else.
    """
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, str):
        for table in (_NAMES, _ALIASES, _CLASSES):
            if identifier in table:
                return table[identifier]()
        raise ValueError(f"unknown metric {identifier!r}: known are accuracy, {', '.join([*_NAMES, *_ALIASES])}")
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Metric):
        return identifier()
    if isinstance(identifier, losses.Loss):
        return MeanMetricWrapper(
            type(identifier).from_config({**identifier.get_config(), "reduction": "none"}), name=identifier.name
        )
    if callable(identifier):
        return MeanMetricWrapper(identifier, name=getattr(identifier, "__name__", type(identifier).__name__))
    raise TypeError(f"metric {identifier!r} is neither a name, a Metric nor a function")


def resolve_accuracy(name, y_true_shape, y_pred_shape):
    """The metric that "accuracy" or "crossentropy" means for targets and predictions of these shapes, as in Keras.

    One output value: binary. Targets without the axis of classes (or with one of size 1): sparse. Else categorical.
    """
    if y_pred_shape[-1] == 1:
        kind = "binary"
    elif len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1:
        kind = "sparse"
    else:
        kind = "categorical"
    if name.lower() in ("accuracy", "acc"):
        cls = {"binary": BinaryAccuracy, "sparse": SparseCategoricalAccuracy, "categorical": CategoricalAccuracy}[kind]
    else:
        cls = {
            "binary": BinaryCrossentropy,
            "sparse": SparseCategoricalCrossentropy,
            "categorical": CategoricalCrossentropy,
        }[kind]
    return cls(name=name)


def serialize(metric):
    """The metric's class and arguments as JSON-able values."""
    return {"class_name": type(metric).__name__, "config": metric.get_config()}


def deserialize(settings, custom_objects=None):
    """The metric that `serialize` described. Raises ValueError for an unknown class."""
    name = settings.get("class_name")
    cls = (custom_objects or {}).get(name) or _CLASSES.get(name)
    if cls is None:
        raise ValueError(f"unknown metric class {name!r}; give it in custom_objects")
    return cls.from_config(settings.get("config", {}))
