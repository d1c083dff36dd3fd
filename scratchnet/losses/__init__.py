"""Losses, each with its derivative; the functions give the loss of each sample, as Keras's functions do."""

from scratchnet.losses.base import Loss
from scratchnet.losses.crossentropy import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
from scratchnet.losses.regression import Huber, MeanAbsoluteError, MeanSquaredError
from scratchnet.losses.similarity import CosineSimilarity, KLDivergence


def _function(cls, name):
    """The function of Keras that gives the values of loss `cls`, one for each sample."""

    def values(y_true, y_pred, **options):
        loss = cls(reduction="none", **options)
        return loss(y_true, y_pred)

    values.__name__ = values.__qualname__ = name
    values.__doc__ = f"The values of `{cls.__name__}`, one for each sample; `options` are those of the class."
    values.loss_class = cls
    return values


mean_squared_error = _function(MeanSquaredError, "mean_squared_error")
mean_absolute_error = _function(MeanAbsoluteError, "mean_absolute_error")
huber = _function(Huber, "huber")
binary_crossentropy = _function(BinaryCrossentropy, "binary_crossentropy")
categorical_crossentropy = _function(CategoricalCrossentropy, "categorical_crossentropy")
sparse_categorical_crossentropy = _function(SparseCategoricalCrossentropy, "sparse_categorical_crossentropy")
kl_divergence = _function(KLDivergence, "kl_divergence")
cosine_similarity = _function(CosineSimilarity, "cosine_similarity")

_FUNCTIONS = (
    mean_squared_error,
    mean_absolute_error,
    huber,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
    kl_divergence,
    cosine_similarity,
)
_ALIASES = {
    "mse": "mean_squared_error",
    "MSE": "mean_squared_error",
    "mae": "mean_absolute_error",
    "MAE": "mean_absolute_error",
    "bce": "binary_crossentropy",
    "BCE": "binary_crossentropy",
    "kld": "kl_divergence",
    "KLD": "kl_divergence",
    "kullback_leibler_divergence": "kl_divergence",
}
_CLASSES = {function.__name__: function.loss_class for function in _FUNCTIONS}
_CLASSES.update({cls.__name__: cls for cls in list(_CLASSES.values())})
_CLASSES.update({alias: _CLASSES[name] for alias, name in _ALIASES.items()})

mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
bce = BCE = binary_crossentropy
kld = KLD = kullback_leibler_divergence = kl_divergence

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
    *(function.__name__ for function in _FUNCTIONS),
    *_ALIASES,
]


def get(identifier):
    """The Loss that compile's ``loss=`` means: a name, a Loss, a class, a function of this module, or a config.

    Raises ValueError for an unknown name, TypeError for a function of somebody's own, which has no derivative.
    """
    if isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, str):
        if identifier not in _CLASSES:
            known = ", ".join(f.__name__ for f in _FUNCTIONS)
            raise ValueError(f"unknown loss {identifier!r}: known are {known} (and {', '.join(_ALIASES)})")
        return _CLASSES[identifier]()
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        return identifier()
    if hasattr(identifier, "loss_class"):
        return identifier.loss_class()
    if callable(identifier):
        raise TypeError(
            f"the function {getattr(identifier, '__name__', identifier)!r} alone cannot be a loss: nothing here "
            "differentiates Python code. Write a subclass of scratchnet.losses.Loss with values(y_true, y_pred) -> "
            "(values, cache) and gradient(dvalues, cache) -> dy_pred"
        )
    raise TypeError(f"loss {identifier!r} is neither a name nor a Loss")


def serialize(loss):
    """The loss's class and arguments as JSON-able values."""
    return {"class_name": type(loss).__name__, "config": loss.get_config()}


def deserialize(settings, custom_objects=None):
    """The loss that `serialize` described. Raises ValueError for an unknown class."""
    name = settings.get("class_name")
    cls = (custom_objects or {}).get(name) or _CLASSES.get(name)
    if cls is None:
        raise ValueError(f"unknown loss class {name!r}; give it in custom_objects")
    return cls.from_config(settings.get("config", {}))


