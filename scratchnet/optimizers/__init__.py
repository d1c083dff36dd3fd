"""Optimizers: how gradients change the parameters. They see parameters and gradients, and know nothing of layers."""

from typing import TYPE_CHECKING

from scratchnet import registry
from scratchnet.doors import door, opened
from scratchnet.missing import refusal
from scratchnet.optimizers import schedules
from scratchnet.optimizers.adam import Adam, AdamW, Nadam
from scratchnet.optimizers.base import Optimizer

_PARTS = {
    "adadelta": ("Adadelta",),
    "adafactor": ("Adafactor",),
    "adagrad": ("Adagrad",),
    "adamax": ("Adamax",),
    "ftrl": ("Ftrl",),
    "lamb": ("Lamb",),
    "lion": ("Lion",),
    "muon": ("Muon",),
    "rmsprop": ("RMSprop",),
    "schedule_free_adamw": ("ScheduleFreeAdamW",),
    "sgd": ("SGD",),
}

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "Muon",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]
registry.import_when_missed("optimizers", opened(__name__, _PARTS))
if TYPE_CHECKING:
    from scratchnet.optimizers.adadelta import Adadelta
    from scratchnet.optimizers.adafactor import Adafactor
    from scratchnet.optimizers.adagrad import Adagrad
    from scratchnet.optimizers.adamax import Adamax
    from scratchnet.optimizers.ftrl import Ftrl
    from scratchnet.optimizers.lamb import Lamb
    from scratchnet.optimizers.lion import Lion
    from scratchnet.optimizers.muon import Muon
    from scratchnet.optimizers.rmsprop import RMSprop
    from scratchnet.optimizers.schedule_free_adamw import ScheduleFreeAdamW
    from scratchnet.optimizers.sgd import SGD
else:
    __getattr__ = door(__name__, _PARTS, refusal(__name__))


def __dir__():
    return __all__


def get(identifier):
    """The Optimizer that compile's ``optimizer=`` means: a name, an Optimizer, a class, or a config; None for None.

    Raises ValueError for an unknown name, TypeError for anything else.
    """
    found = registry.get("optimizers", identifier)
    if found is not None and not isinstance(found, Optimizer):
        raise TypeError(f"optimizer {identifier!r} is neither a name nor an Optimizer")
    return found


def serialize(optimizer):
    """The optimizer's class and arguments as JSON-able values."""
    return registry.serialize(optimizer)


def deserialize(config, custom_objects=None):
    """The optimizer that `serialize` described, without its state. Raises ValueError for an unknown class.

    `custom_objects`: dict from name to class, for optimizers and schedules that are not scratchnet's own.
    """
    return registry.deserialize(config, "optimizers", custom_objects)
