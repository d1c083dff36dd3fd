"""Saving and loading models.

A saved model is one `.npz` file (see `scratchnet.files.archive`) with two more entries: `architecture.json`, the layers
and how they are connected, and `training.json`, what compile was told. Parameters stand under ``weights/layer/weight``,
the optimizer's state under ``optimizer/...``. A weights file has the ``weights/`` entries only.
"""

import numpy as np

from scratchnet import limits, optimizers, registry
from scratchnet.files.archive import read_archive, write_archive
from scratchnet.files.reading import blaming

MOST_LAYERS = 20_000  # of an architecture in a file; the deepest networks have some thousand
_LISTS_OF_LAYERS = ("layers", "nodes", "inbound_nodes", "cells")


class Saver:
    """The part of a Model that is about files."""

    def save(self, filepath, overwrite=True, include_optimizer=True):
        """Write architecture, parameters, what compile was told and the optimizer's state to `filepath`.

        Raises FileExistsError if the file exists and `overwrite` is false, ValueError if the model is not built.
        """
        if not self.built:
            raise self.error("cannot be saved before it is built")
        texts = {"architecture": registry.serialize(self)}
        arrays = _weights(self)
        if self.optimizer is not None:
            texts["training"] = _compile_settings(self)
            if include_optimizer and self.optimizer.state:
                arrays.update((f"optimizer/{k}", np.asarray(v)) for k, v in self.optimizer.get_state().items())
        write_archive(filepath, "model", arrays, texts, overwrite)

    def save_weights(self, filepath, overwrite=True):
        """Write the parameters to `filepath`."""
        if not self.built:
            raise self.error("has no weights to save before it is built")
        write_archive(filepath, "weights", _weights(self), overwrite=overwrite)

    def load_weights(self, filepath):
        """Read the parameters from a file of `save_weights` or `save`.

        They are matched by name; where the names differ only because automatic names were counted differently, in
        order. Raises ValueError, and changes nothing, if the file is damaged or belongs to another architecture.
        """
        if not self.built:
            raise self.error("has no weights to load into before it is built")
        arrays, _ = read_archive(filepath, "weights", "model", prefixes=["weights/"])
        set_weights_from(self, arrays, filepath)


def save_model(model, filepath, overwrite=True, include_optimizer=True):
    """The same as ``model.save(filepath)``."""
    model.save(filepath, overwrite, include_optimizer)


def load_model(filepath, custom_objects=None, compile=True):
    """The model that `save` wrote, compiled as it was, its optimizer where it stood.

    Args:
        filepath: the file.
        custom_objects: dict from name to class, function or Activation, for what is not scratchnet's own.
        compile: False leaves out losses, metrics and optimizer.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged, is not a saved model, or needs a `custom_objects` entry.
    """
    names = ["architecture", "training"] if compile else ["architecture"]
    prefixes = ["weights/", "optimizer/"] if compile else ["weights/"]
    arrays, texts = read_archive(filepath, "model", texts=names, prefixes=prefixes)
    numbers = sum(array.size for name, array in arrays.items() if name.startswith("weights/"))
    with blaming(filepath, "holds an architecture that cannot be built"), limits.at_most(numbers):
        check_number_of_layers(texts["architecture"])
        model = registry.deserialize(texts["architecture"], "layers", custom_objects)
    set_weights_from(model, arrays, filepath)
    settings = texts.get("training")
    if settings is not None:
        with blaming(filepath, "holds settings of compile that cannot be used"):
            with registry.CustomObjectScope(custom_objects):
                optimizer = optimizers.deserialize(settings.pop("optimizer"))
                model.compile(optimizer, **registry.deserialize(_modern(settings)))
            state = {k.removeprefix("optimizer/"): a for k, a in arrays.items() if k.startswith("optimizer/")}
            if state:
                model.optimizer.build(model.trainable_params)
                model.optimizer.set_state(state)
    return model


def check_number_of_layers(architecture):
    """Refuse an architecture of more layers, or uses of layers, than anybody builds: it was made to take for ever."""
    waiting, found = [architecture], 0
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            found += sum(len(value[key]) for key in _LISTS_OF_LAYERS if isinstance(value.get(key), list))
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    if found > MOST_LAYERS:
        raise ValueError(f"it has {found} layers and uses of layers; more than {MOST_LAYERS} are not read")


def set_weights_from(model, arrays, filepath):
    """Copy the ``weights/...`` entries of `arrays` into the model, all or none."""
    found = {key.removeprefix("weights/"): a for key, a in arrays.items() if key.startswith("weights/")}
    params = model.named_arrays()
    if set(found) != set(params):
        own_names = [key.rsplit("/", 1)[-1] for key in params]
        if own_names != [key.rsplit("/", 1)[-1] for key in found]:
            missing, extra = sorted(set(params) - set(found)), sorted(set(found) - set(params))
            raise ValueError(
                f"{filepath} belongs to another architecture than {model!r}: "
                f"missing are {missing or 'none'}, not in the model are {extra or 'none'}"
            )
        found = dict(zip(params, found.values()))
    for key, parameter in params.items():
        if found[key].shape != parameter.shape:
            raise ValueError(
                f"{filepath} belongs to another architecture than {model!r}: "
                f"{key} has shape {found[key].shape}, the model's has {parameter.shape}"
            )
        if found[key].dtype.kind != "f":
            raise ValueError(f"{filepath}: {key} is of dtype {found[key].dtype}, expected floating point numbers")
    for key, parameter in params.items():
        parameter[...] = found[key]


def _weights(model):
    return {f"weights/{key}": parameter for key, parameter in model.named_arrays().items()}


def _compile_settings(model):
    """What compile was told, as JSON: objects as their configurations, functions by name."""
    settings = dict(model._compile_config, optimizer=optimizers.serialize(model.optimizer))
    return registry.serialize(settings)


def _modern(value):
    """compile's arguments as version 0.1.0 wrote them, in today's form; today's stay as they are."""
    if isinstance(value, dict) and "class_name" not in value:
        for key, kind in (("loss", "losses"), ("metric", "metrics")):
            if set(value) == {key} and isinstance(value[key], dict) and "module" not in value[key]:
                return {"module": f"scratchnet.{kind}", **value[key]}
        if set(value) == {"name"}:
            return {"module": None, "class_name": "function", "config": value["name"]}
        return {key: _modern(entry) for key, entry in value.items()}
    return [_modern(entry) for entry in value] if isinstance(value, list) else value
