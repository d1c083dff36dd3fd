"""Models in our own files.

A saved model is one `.npz` file (see `scratchnet.files.archive`) with two more entries: `architecture.json`, the layers
and how they are connected, and `training.json`, what compile was told. Parameters stand under ``weights/layer/weight``,
the optimizer's state under ``optimizer/...``; what the `save_own_variables` and `save_assets` of a class of one's own
have kept, under ``own/...`` and ``assets/...``. A weights file has the ``weights/`` and ``own/`` entries only.
"""

import numpy as np

from scratchnet import optimizers, registry
from scratchnet.files.architecture import build, check_counts
from scratchnet.files.archive import read_archive, write_archive
from scratchnet.files.assign import Pair, assign, mismatch
from scratchnet.files.keras_assets import assets_to_write, own_variables, read_own_assets, set_own_variables
from scratchnet.files.reading import blaming
from scratchnet.files.settings import compile_settings, is_own, warn_not_compiled


def save_model(model, filepath, overwrite, include_optimizer):
    """Write the architecture, the parameters, the arguments of compile and the optimizer's state."""
    texts = {"architecture": registry.serialize(model)}
    arrays = _weights(model)
    arrays.update((name, np.array(bytearray(file), np.uint8)) for name, file in assets_to_write(model).items())
    settings = compile_settings(model)
    if settings is not None:
        texts["training"] = settings
        if include_optimizer and model.optimizer is not None and model.optimizer.has_state:
            arrays.update((f"optimizer/{k}", np.asarray(v)) for k, v in model.optimizer.get_state().items())
    write_archive(filepath, "model", arrays, texts, overwrite)


def load_model(filepath, custom_objects, compile):
    """The model that `save_model` wrote."""
    names = ["architecture", "training"] if compile else ["architecture"]
    prefixes = ["weights/", "own/", "assets/", *(["optimizer/"] if compile else [])]
    arrays, texts = read_archive(filepath, "model", texts=names, prefixes=prefixes)
    numbers = sum(array.size for name, array in arrays.items() if name.startswith("weights/"))
    with blaming(filepath, "holds an architecture that cannot be built"):
        model = build(texts["architecture"], custom_objects, numbers)
    own_key = _set_weights(model, arrays, filepath, False)
    files = [name for name in arrays if name.startswith("assets/")]
    if files:  # none in files of older versions
        read_own_assets(model, files, lambda name: arrays[name].tobytes())
    settings = texts.get("training")
    if settings is not None:
        with blaming(filepath, "holds settings of compile that cannot be used"):
            check_counts(settings)
            with registry.CustomObjectScope(custom_objects):
                _compile(model, settings, filepath)
            state = {k.removeprefix("optimizer/"): a for k, a in arrays.items() if k.startswith("optimizer/")}
            state = {_renamed(key, own_key): array for key, array in state.items()}
            if state and model.optimizer is not None:
                model.optimizer.build(model.trainable_params)
                model.optimizer.set_state(state)
    return model


def _compile(model, settings, filepath):
    """Compile as the file says; a `compile` of one's own may want other arguments, which is no reason not to load."""
    if is_own(model, "compile_from_config"):
        model.compile_from_config(settings)
        return
    try:
        optimizer = optimizers.deserialize(settings.pop("optimizer", "rmsprop"))
        model.compile(optimizer, **registry.deserialize(_modern(settings)))
    except TypeError as problem:
        if not is_own(model, "compile"):
            raise
        warn_not_compiled(model, filepath, problem)


def save_weights(model, filepath, overwrite):
    write_archive(filepath, "weights", _weights(model), overwrite=overwrite)


def load_weights(model, filepath, skip_mismatch):
    arrays, _ = read_archive(filepath, "weights", "model", prefixes=["weights/", "own/"])
    _set_weights(model, arrays, filepath, skip_mismatch)


def _weights(model):
    own = {f"own/{path}": array for path, array in own_variables(model).items()}
    return {**{f"weights/{key}": array for key, array in model.named_arrays().items()}, **own}


def _set_weights(model, arrays, filepath, skip_mismatch):
    """Copy the ``weights/...`` entries into the model, by name, or in order if only automatic names differ.

    Returns a dict from the names in the file to those in the model.
    """
    found = {key.removeprefix("weights/"): array for key, array in arrays.items() if key.startswith("weights/")}
    own = model.named_arrays()
    if set(found) != set(own):
        if [key.rsplit("/", 1)[-1] for key in own] != [key.rsplit("/", 1)[-1] for key in found]:
            raise mismatch(filepath, model, sorted(set(own) - set(found)), sorted(set(found) - set(own)))
        own_key, found = dict(zip(found, own)), dict(zip(own, found.values()))
    else:
        own_key = {key: key for key in found}
    assign([Pair(key, array, found[key]) for key, array in own.items()], model, filepath, skip_mismatch)
    kept = {key.removeprefix("own/"): array for key, array in arrays.items() if key.startswith("own/")}
    if kept:
        set_own_variables(model, kept)
    return own_key


def _renamed(key, own_key):
    """The key of an optimizer's state, such as ``m/dense/kernel``, for the weight's name in the model."""
    kind, _, weight = key.partition("/")
    return f"{kind}/{own_key[weight]}" if weight in own_key else key


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
