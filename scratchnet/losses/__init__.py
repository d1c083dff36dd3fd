"""Losses, each with its derivative; the functions give the loss of each sample, as Keras's functions do."""

from scratchnet.losses.base import Loss
from scratchnet.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from scratchnet.losses.regression import (
    Huber,
    MeanAbsoluteError,
    MeanSquaredError,
    huber,
    mean_absolute_error,
    mean_squared_error,
)
from scratchnet.losses.similarity import CosineSimilarity, KLDivergence, cosine_similarity, kl_divergence

mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
bce = BCE = binary_crossentropy
kld = KLD = kullback_leibler_divergence = kl_divergence

_CLASS_OF = {
    mean_squared_error: MeanSquaredError,
    mean_absolute_error: MeanAbsoluteError,
    huber: Huber,
    binary_crossentropy: BinaryCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    kl_divergence: KLDivergence,
    cosine_similarity: CosineSimilarity,
}
_ALIASES = {
    "mse": MeanSquaredError,
    "MSE": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "MAE": MeanAbsoluteError,
    "bce": BinaryCrossentropy,
    "BCE": BinaryCrossentropy,
    "kld": KLDivergence,
    "KLD": KLDivergence,
    "kullback_leibler_divergence": KLDivergence,
}
_CLASSES = {
    **{function.__name__: cls for function, cls in _CLASS_OF.items()},
    **{cls.__name__: cls for cls in _CLASS_OF.values()},
    **_ALIASES,
}
_ONLY_IN_KERAS = set(
    "BinaryFocalCrossentropy CTC CategoricalFocalCrossentropy CategoricalHinge Circle Dice Hinge LogCosh "
    "MeanAbsolutePercentageError MeanSquaredLogarithmicError Poisson SquaredHinge Tversky "
    "binary_focal_crossentropy ctc categorical_focal_crossentropy categorical_hinge circle dice hinge log_cosh "
    "mean_absolute_percentage_error mape MAPE mean_squared_logarithmic_error msle MSLE poisson squared_hinge tversky "
    "crossentropy ce".split()
)

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CosineSimilarity",
    "Huber",
    "KLDivergence",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "deserialize",
    "get",
    "serialize",
    *(function.__name__ for function in _CLASS_OF),
    *_ALIASES,
]


def __getattr__(name):
    if name in _ONLY_IN_KERAS:
        raise AttributeError(_missing(name))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def get(identifier):
    """The Loss that compile's ``loss=`` means: a name, a Loss, a class, a function of this module, or a config.

    None stays None. Raises ValueError for an unknown name, TypeError for a function of somebody's own, which has no
    derivative.
    """
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, str):
        if identifier not in _CLASSES:
            raise ValueError(_missing(identifier))
        return _CLASSES[identifier]()
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        return identifier()
    if callable(identifier):
        if _is_ours(identifier):
            return _CLASS_OF[identifier]()
        raise TypeError(
            f"the function {getattr(identifier, '__name__', identifier)!r} alone cannot be a loss: nothing here "
            "differentiates Python code. Write a subclass of scratchnet.losses.Loss with values(y_true, y_pred) -> "
            "(values, cache) and gradient(dvalues, cache) -> dy_pred"
        )
    raise TypeError(f"loss {identifier!r} is neither a name nor a Loss")


def serialize(loss):
    """The loss's class and arguments as JSON-able values; the name of a function of this module."""
    if callable(loss) and _is_ours(loss):
        return loss.__name__
    if not isinstance(loss, Loss):
        raise TypeError(f"cannot serialize {loss!r}: it is neither a Loss nor a function of scratchnet.losses")
    return {"class_name": type(loss).__name__, "config": loss.get_config()}


def deserialize(settings, custom_objects=None):
    """The loss that `serialize` described. Raises ValueError for an unknown class."""
    if isinstance(settings, str):
        settings = {"class_name": settings}
    name = settings.get("class_name")
    cls = (custom_objects or {}).get(name) or _CLASSES.get(name)
    if cls is None:
        raise ValueError(
            _missing(name) if name in _ONLY_IN_KERAS else f"unknown loss class {name!r}; give it in custom_objects"
        )
    return cls.from_config(settings.get("config", {}))


def _is_ours(function):
    return any(function is ours for ours in _CLASS_OF)


def _missing(name):
    known = f"known are {', '.join(function.__name__ for function in _CLASS_OF)} (and {', '.join(_ALIASES)})"
    if name in _ONLY_IN_KERAS:
        return f"Keras's loss {name!r} is not implemented in scratchnet: {known}"
    return f"unknown loss {name!r}: {known}"
