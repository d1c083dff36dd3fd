"""Saving and loading, and what a file may name, under the names of `keras.saving`."""

from typing import TYPE_CHECKING

from scratchnet import registry
from scratchnet.missing import refusal
from scratchnet.models import load_model, save_model
from scratchnet.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]
if not TYPE_CHECKING:
    __getattr__ = refusal(__name__)


def __dir__():
    return __all__


def save_weights(model, filepath, overwrite=True, max_shard_size=None, **kwargs):
    """The same as ``model.save_weights(filepath)``."""
    model.save_weights(filepath, overwrite, max_shard_size, **kwargs)


def load_weights(model, filepath, skip_mismatch=False, **kwargs):
    """The same as ``model.load_weights(filepath)``."""
    model.load_weights(filepath, skip_mismatch, **kwargs)


def serialize_keras_object(obj):
    """`obj` (a layer, a loss, a function, ..., or a list or dict of them) as JSON can hold it."""
    return registry.serialize(obj)


def deserialize_keras_object(config, custom_objects=None, safe_mode=True, **kwargs):
    """What `serialize_keras_object` described. Code is never run, whatever `safe_mode` says."""
    return registry.deserialize(config, custom_objects=custom_objects)
