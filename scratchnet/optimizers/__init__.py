"""Optimizers: how parameters follow their gradients. They see parameters and gradients, nothing of layers."""

from scratchnet.optimizers import schedules
from scratchnet.optimizers.adagrad import Adagrad
from scratchnet.optimizers.adam import Adam, AdamW, Nadam
from scratchnet.optimizers.base import Optimizer
from scratchnet.optimizers.rmsprop import RMSprop
from scratchnet.optimizers.sgd import SGD

_CLASSES = {cls.__name__.lower(): cls for cls in (SGD, RMSprop, Adagrad, Adam, AdamW, Nadam)}

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]


def get(identifier):
    """The Optimizer that compile's ``optimizer=`` means: a name, an Optimizer, a class, or a config from `serialize`.

    Raises ValueError for an unknown name, TypeError for anything else.
    """
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, str):
        if identifier.lower() not in _CLASSES:
            known = ", ".join(cls.__name__ for cls in _CLASSES.values())
            raise ValueError(f"unknown optimizer {identifier!r}: known are {known}")
        return _CLASSES[identifier.lower()]()
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        return identifier()
    raise TypeError(f"optimizer {identifier!r} is neither a name nor an Optimizer")


def serialize(optimizer):
    """The optimizer's class and arguments as JSON-able values."""
    return {"class_name": type(optimizer).__name__, "config": optimizer.get_config()}


def deserialize(settings, custom_objects=None):
    """The optimizer that `serialize` described, without its state. Raises ValueError for an unknown class.

    `custom_objects`: dict from name to class, for optimizers and schedules that are not scratchnet's own.
    """
    name = settings.get("class_name")
    cls = (custom_objects or {}).get(name) or _CLASSES.get(str(name).lower())
    if cls is None:
        raise ValueError(f"unknown optimizer class {name!r}")
    arguments = dict(settings.get("config", {}))
    if isinstance(arguments.get("learning_rate"), dict):
        arguments["learning_rate"] = schedules.deserialize(arguments["learning_rate"], custom_objects)
    return cls.from_config(arguments)
