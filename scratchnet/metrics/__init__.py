"""Metrics: figures that are gathered over the batches of an epoch, under Keras's names."""

from scratchnet import losses
from scratchnet.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    huber,
    kl_divergence,
    mean_absolute_error,
    mean_squared_error,
    sparse_categorical_crossentropy,
)
from scratchnet.losses.base import snake_case
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
from scratchnet.metrics.confusion import AUC, Precision, Recall
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
        AUC,
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
_NAMES = {snake_case(name): cls for name, cls in _CLASSES.items()}
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

_FUNCTIONS = {
    function.__name__: function
    for function in (
        binary_accuracy,
        categorical_accuracy,
        sparse_categorical_accuracy,
        sparse_top_k_categorical_accuracy,
        top_k_categorical_accuracy,
        mean_squared_error,
        mean_absolute_error,
        huber,
        binary_crossentropy,
        categorical_crossentropy,
        sparse_categorical_crossentropy,
        kl_divergence,
    )
}
_ONLY_IN_KERAS = set(
    "BinaryIoU CategoricalHinge ConcordanceCorrelation F1Score FBetaScore FalseNegatives FalsePositives Hinge IoU "
    "LogCoshError MeanAbsolutePercentageError MeanIoU MeanSquaredLogarithmicError OneHotIoU OneHotMeanIoU "
    "PearsonCorrelation Poisson PrecisionAtRecall R2Score RecallAtPrecision SensitivityAtSpecificity "
    "SpecificityAtSensitivity SquaredHinge Sum TrueNegatives TruePositives".split()
)

__all__ = [
    *_CLASSES,
    "MeanMetricWrapper",
    "Metric",
    "deserialize",
    "get",
    "resolve_accuracy",
    "serialize",
    *_FUNCTIONS,
]


def __getattr__(name):
    if name in _ONLY_IN_KERAS:
        raise AttributeError(f"Keras's metric {name} is not implemented in scratchnet; there are {', '.join(_CLASSES)}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def get(identifier):
    """The Metric that an entry of compile's ``metrics=`` means: a name, Metric, class, config, Loss or function.

    A function takes (y_true, y_pred) and gives a value for each sample; its mean is shown under its name.
    Raises ValueError for an unknown name, TypeError for anything else.
    """
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, str):
        for table in (_NAMES, _ALIASES, _CLASSES):
            if identifier in table:
                return table[identifier]()
        raise ValueError(_missing(identifier))
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
        return {"class_name": type(metric).__name__, "config": metric.get_config()}
    if callable(metric):
        return metric.__name__
    raise TypeError(f"cannot serialize {metric!r}: it is neither a Metric nor a function")


def deserialize(settings, custom_objects=None):
    """The metric, or the function, that `serialize` described. Raises ValueError for what is unknown."""
    if isinstance(settings, str):
        known = {**_FUNCTIONS, **(custom_objects or {})}
        return known[settings] if settings in known else get(settings)
    name, arguments = settings.get("class_name"), dict(settings.get("config", {}))
    cls = {**_CLASSES, "MeanMetricWrapper": MeanMetricWrapper, **(custom_objects or {})}.get(name)
    if cls is None:
        raise ValueError(f"unknown metric class {name!r}; give it in custom_objects")
    if isinstance(arguments.get("fn"), str):
        arguments["fn"] = deserialize(arguments["fn"], custom_objects)
    return cls.from_config(arguments)


def _missing(name):
    known = f"known are accuracy, crossentropy, {', '.join(n for n in [*_NAMES, *_ALIASES] if n != 'accuracy')}"
    if name in _ONLY_IN_KERAS or name in map(snake_case, _ONLY_IN_KERAS):
        return f"Keras's metric {name!r} is not implemented in scratchnet: {known}"
    return f"unknown metric {name!r}: {known}; a function of your own goes in custom_objects when a model is loaded"
