"""Losses, each with its derivative; the functions give the loss of each sample, as Keras's functions do."""

from scratchnet import registry
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
from scratchnet.missing import refusal

mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
bce = BCE = binary_crossentropy
kld = KLD = kullback_leibler_divergence = kl_divergence

__all__ = [
    "BCE",
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CosineSimilarity",
    "Huber",
    "KLD",
    "KLDivergence",
    "Loss",
    "MAE",
    "MSE",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "bce",
    "binary_crossentropy",
    "categorical_crossentropy",
    "cosine_similarity",
    "deserialize",
    "get",
    "huber",
    "kl_divergence",
    "kld",
    "kullback_leibler_divergence",
    "mae",
    "mean_absolute_error",
    "mean_squared_error",
    "mse",
    "serialize",
    "sparse_categorical_crossentropy",
]
__getattr__ = refusal(__name__)


def __dir__():
    return __all__


def get(identifier):
    """The Loss that compile's ``loss=`` means: a name, a Loss, a class, a function of this module, or a config.

    None stays None. Raises ValueError for an unknown name, TypeError for a function of somebody's own, which has no
    derivative.
    """
    found = registry.get("losses", identifier)
    if found is None or isinstance(found, Loss):
        return found
    if _is_ours(found):
        return registry.get("losses", found.__name__)
    raise TypeError(
        f"the function {getattr(found, '__name__', found)!r} alone cannot be a loss: nothing here differentiates "
        "Python code. Write a subclass of scratchnet.losses.Loss with values(y_true, y_pred) -> (values, cache) and "
        "gradient(dvalues, cache) -> dy_pred"
    )


def serialize(loss):
    """The loss's class and arguments as JSON-able values; the name of a function of this module."""
    if _is_ours(loss):
        return loss.__name__
    if not isinstance(loss, Loss):
        raise TypeError(f"cannot serialize {loss!r}: it is neither a Loss nor a function of scratchnet.losses")
    return registry.serialize(loss)


def deserialize(name, custom_objects=None):
    """The loss that `serialize` described, or that has this name. Raises ValueError for an unknown one."""
    with registry.CustomObjectScope(custom_objects):
        return get(name)


def _is_ours(function):
    return callable(function) and globals().get(getattr(function, "__name__", None)) is function
