"""Layers, under Keras's names. One idea a file; `scratchnet.layers.base` says what they have in common."""

from typing import TYPE_CHECKING

from scratchnet import registry
from scratchnet.graph.symbolic import KerasTensor
from scratchnet.layers import (
    activations,
    attention,
    capsules,
    convolutional,
    core,
    merging,
    normalization,
    pooling,
    preprocessing,
    regularization,
    reshaping,
    rnn,
    variational,
)
from scratchnet.layers.activations import *
from scratchnet.layers.attention import *
from scratchnet.layers.base import Layer
from scratchnet.layers.capsules import *
from scratchnet.layers.convolutional import *
from scratchnet.layers.core import *
from scratchnet.layers.input_spec import InputSpec
from scratchnet.layers.merging import *
from scratchnet.layers.normalization import *
from scratchnet.layers.pooling import *
from scratchnet.layers.preprocessing import *
from scratchnet.layers.regularization import *
from scratchnet.layers.reshaping import *
from scratchnet.layers.rnn import *
from scratchnet.layers.variational import *
from scratchnet.layers.wrapper import Wrapper
from scratchnet.missing import refusal

_ROOMS = (
    activations,
    attention,
    capsules,
    convolutional,
    core,
    merging,
    normalization,
    pooling,
    preprocessing,
    regularization,
    reshaping,
    rnn,
    variational,
)

__all__ = sorted(
    [
        "InputSpec",
        "KerasTensor",
        "Layer",
        "Wrapper",
        "deserialize",
        "serialize",
        *(name for room in _ROOMS for name in room.__all__),
    ]
)
if not TYPE_CHECKING:
    __getattr__ = refusal(__name__)


def __dir__():
    return __all__


def serialize(layer):
    """A layer's (or model's) class and arguments as JSON-able values."""
    return registry.serialize(layer)


def deserialize(config, custom_objects=None):
    """The layer that `serialize` described, with new parameters.

    `custom_objects`: dict from name to class or function, for what is not scratchnet's own.
    Raises ValueError for a class that is in neither, and for a `config` that describes no layer.
    """
    if not isinstance(config, dict) or not {"class_name", "config"} <= config.keys():
        raise ValueError(f"a layer is described by a dict with 'class_name' and 'config', got {config!r}")
    return registry.deserialize(config, "layers", custom_objects)
