"""scratchnet: deep learning from scratch in NumPy, to read, to check, and to use.

    from scratchnet.models import Sequential
    from scratchnet.layers import Dense, Input

Its public face is Keras's: `models`, `layers`, `losses`, `optimizers`, `metrics`, `activations`, `initializers`,
`callbacks`, `datasets`, `ops`, `utils`. They are imported when they are first used. ``import scratchnet as keras``
serves a program for Keras, ``import scratchnet as tf`` one that was written for `tf.keras`: see `scratchnet.tf`.
"""

import importlib
import importlib.util
from typing import TYPE_CHECKING

from scratchnet.missing import refusal

__version__ = "0.1.0"

_MODULES = (
    "activations",
    "applications",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "distribution",
    "evaluation",
    "explain",
    "gradient_check",
    "initializers",
    "kernels",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "parallel",
    "preprocessing",
    "random",
    "regularizers",
    "saving",
    "tf",
    "utils",
    "wrappers",
)
_NAMES = {
    "DTypePolicy": "config",
    "Initializer": "initializers",
    "Input": "layers",
    "InputSpec": "layers",
    "KerasTensor": "layers",
    "Layer": "layers",
    "Loss": "losses",
    "Metric": "metrics",
    "Model": "models",
    "Optimizer": "optimizers",
    "Regularizer": "regularizers",
    "Sequential": "models",
    "Variable": "variables",
    "get_backend": "kernels",
    "get_num_threads": "parallel",
    "set_backend": "kernels",
    "set_num_threads": "parallel",
}

__all__ = ["__version__", "version", *_MODULES, *_NAMES]
_refuse = refusal(__name__)


def version():
    """The version of the library, as a string."""
    return __version__


if TYPE_CHECKING:
    from scratchnet import (
        activations,
        applications,
        backend,
        callbacks,
        config,
        constraints,
        datasets,
        distribution,
        evaluation,
        explain,
        gradient_check,
        initializers,
        kernels,
        layers,
        losses,
        metrics,
        models,
        ops,
        optimizers,
        parallel,
        preprocessing,
        random,
        regularizers,
        saving,
        tf,
        utils,
        wrappers,
    )
    from scratchnet.config import DTypePolicy
    from scratchnet.initializers import Initializer
    from scratchnet.kernels import get_backend, set_backend
    from scratchnet.layers import Input, InputSpec, KerasTensor, Layer
    from scratchnet.losses import Loss
    from scratchnet.metrics import Metric
    from scratchnet.models import Model, Sequential
    from scratchnet.optimizers import Optimizer
    from scratchnet.parallel import get_num_threads, set_num_threads
    from scratchnet.regularizers import Regularizer
    from scratchnet.variables import Variable
else:

    def __getattr__(name):
        if name in _MODULES:
            return importlib.import_module(f"{__name__}.{name}")
        if name in _NAMES:
            return getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
        if importlib.util.find_spec(f"{__name__}.{name}") is not None:  # a module of the library's inside
            return importlib.import_module(f"{__name__}.{name}")
        tensorflow_s = importlib.import_module(f"{__name__}.tf")
        if name in tensorflow_s.__all__:
            return getattr(tensorflow_s, name)
        return _refuse(name, depth=2)


def __dir__():
    return sorted(__all__)
