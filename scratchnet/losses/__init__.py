"""Losses, each with its derivative; the functions give the loss of each sample, as Keras's functions do."""

import types
from typing import TYPE_CHECKING

from scratchnet import registry
from scratchnet.losses.base import Loss
from scratchnet.losses.circle import Circle, circle
from scratchnet.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from scratchnet.losses.ctc import CTC, ctc
from scratchnet.losses.focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
)
from scratchnet.losses.function import LossFunctionWrapper
from scratchnet.losses.generalized_crossentropy import (
    CategoricalGeneralizedCrossEntropy,
    categorical_generalized_cross_entropy,
)
from scratchnet.losses.hinge import CategoricalHinge, Hinge, SquaredHinge, categorical_hinge, hinge, squared_hinge
from scratchnet.losses.margin import MarginLoss
from scratchnet.losses.nt_xent import NTXent
from scratchnet.losses.overlap import Dice, Tversky, dice, tversky
from scratchnet.losses.regression import (
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
)
from scratchnet.losses.similarity import CosineSimilarity, KLDivergence, cosine_similarity, kl_divergence
from scratchnet.missing import refusal

mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
logcosh = log_cosh
bce = BCE = binary_crossentropy
kld = KLD = kullback_leibler_divergence = kl_divergence

__all__ = [
    "CTC",
    "BCE",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "Dice",
    "Hinge",
    "Huber",
    "KLD",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MarginLoss",
    "NTXent",
    "MAE",
    "MAPE",
    "MSE",
    "MSLE",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "bce",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "cosine_similarity",
    "deserialize",
    "ctc",
    "dice",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "kld",
    "kullback_leibler_divergence",
    "log_cosh",
    "logcosh",
    "mae",
    "mape",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse",
    "msle",
    "poisson",
    "resolve",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]
if not TYPE_CHECKING:
    __getattr__ = refusal(__name__)


def __dir__():
    return __all__


def get(identifier):
    """The loss that a name, a class, a config, a Loss or a function means: a `Loss`, or a function.

    As in Keras, "MeanSquaredError" is the Loss, "mean_squared_error" and "mse" the function. None stays None. Raises
    ValueError for an unknown name, TypeError for anything else.
    """
    if isinstance(identifier, str) and registry.get_registered_object(identifier) is None:
        function = globals().get(identifier)
        if identifier in __all__ and isinstance(function, types.FunctionType):
            return function
    return registry.get("losses", identifier)


def resolve(identifier):
    """The `Loss` that compile's ``loss=`` means, where `get` may give a function: one of somebody's own is traced.

    Raises ValueError for an unknown name, TypeError for what is no loss.
    """
    found = get(identifier)
    if found is None or isinstance(found, Loss):
        return found
    if _is_ours(found):
        return registry.get("losses", found.__name__)
    return LossFunctionWrapper(found)


def serialize(loss):
    """The loss's class and arguments as JSON-able values; the name of a function of this module."""
    if _is_ours(loss):
        return loss.__name__
    if not isinstance(loss, Loss) and not callable(loss):
        raise TypeError(f"cannot serialize {loss!r}: it is neither a Loss nor a function")
    return registry.serialize(loss)


def deserialize(name, custom_objects=None):
    """The Loss or function that `serialize` described, or that has this name. Raises ValueError for an unknown one."""
    with registry.CustomObjectScope(custom_objects):
        return get(name)


def _is_ours(function):
    return callable(function) and globals().get(getattr(function, "__name__", None)) is function
