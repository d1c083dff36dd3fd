"""Whole models and weights in Keras's files: `.keras`, `.h5` and `.weights.h5`.

- A `.keras` file is a zip archive: ``metadata.json``, ``config.json`` (layers and compile's settings) and
  ``model.weights.h5`` (weights and the optimizer's state, see `scratchnet.files.keras_weights`).
- A whole model in an `.h5` file, the format of Keras 1 and 2 that Keras 3 still reads and writes, has its configuration
  and compile's settings as attributes, and the weights below ``model_weights``.
- A file of weights alone is of the newer kind (`.weights.h5`) or of the older one (`.h5`), told apart by what is in it.
- With ``zipped=False`` a folder has what is in a `.keras` file; with ``max_shard_size`` several files have the weights.
"""

import contextlib
import io
import json
import os
import time
import warnings

from scratchnet import optimizers, registry
from scratchnet.files.architecture import build, check_counts
from scratchnet.files.assign import assign
from scratchnet.files.folder import Folder, reading_folder, write_folder
from scratchnet.files.hdf5 import Dataset, Group, open_hdf5
from scratchnet.files.hdf5_writing import hdf5_bytes
from scratchnet.files.keras_assets import assets_to_write, read_assets, read_own_variables, vocabulary_weights
from scratchnet.files.keras_optimizer import optimizer_arrays, set_optimizer_arrays
from scratchnet.files.keras_shards import read_shards, write_shards
from scratchnet.files.keras_weights import layers_to_write, pairs_of_layers, pairs_of_tree, tree_to_write
from scratchnet.files.keras_words import from_keras, from_keras_2, to_keras
from scratchnet.files.reading import blaming, file_size, reading
from scratchnet.files.replace import replacing
from scratchnet.files.settings import compile_settings, is_own, warn_not_compiled
from scratchnet.files.zipped import GROWTH, Members
from scratchnet.names import snake_case

_VERSION = "3.0.0"  # what we write is in the form of this version of Keras
_WEIGHTS = "model.weights.h5"
_BY_ITSELF = ("reduction", "auto")  # of Keras 2: the mean, as by default

# ---- reading ----


def load_archive(filepath, custom_objects, compile):
    """The model of a `.keras` file, or of a folder with the same in it."""
    with _members(filepath) as members:
        if "config.json" not in members.sizes or _WEIGHTS not in members.sizes:
            raise ValueError(f"config.json or {_WEIGHTS} is missing")
        config, size = members.read_json("config.json"), members.sizes[_WEIGHTS]
        if not isinstance(config, dict):
            raise ValueError("its configuration is none")
        settings = config.pop("compile_config", None)
        metadata = members.read_json("metadata.json") if "metadata.json" in members.sizes else None
        if isinstance(metadata, dict) and str(metadata.get("keras_version")).startswith("2."):
            config = from_keras_2(config)
        model = _build(config, custom_objects, size, filepath)
        root = open_hdf5(io.BytesIO(members.read(_WEIGHTS)), size)
        assign(pairs_of_tree(model, root, filepath), model, filepath)
        read_own_variables(model, root)
        read_assets(model, members, root)
        if compile and settings:
            row = root.group("optimizer/vars")
            row = [row.dataset(str(k)) for k in range(len(row))]
            own = is_own(model, "compile_from_config")
            _compile(model, settings if own else _settings(settings), custom_objects, filepath, row, own=own)
    return model


@contextlib.contextmanager
def _members(filepath):
    if os.path.isdir(filepath):
        with reading_folder(filepath, "model in Keras's folder"):
            yield Folder(filepath)
    else:
        with reading(filepath, "model in a .keras file") as file:
            yield Members(file, file_size(file))


def load_hdf5(filepath, custom_objects, compile):
    """The model of an `.h5` file of Keras 1, 2 or 3."""
    with reading(filepath, "model in an HDF5 file") as file:
        size = file_size(file)
        root = open_hdf5(file, size)
        if "model_config" not in root.attributes:
            raise ValueError("it holds weights alone: make the model, and call model.load_weights")
        config = json.loads(root.attributes["model_config"])
        if str(root.attributes.get("keras_version", "1.")).startswith(("1.", "2.")):
            config = from_keras_2(config)
        model = _build(config, custom_objects, size, filepath)
        assign(pairs_of_layers(model, root.group("model_weights"), filepath), model, filepath)
        settings = root.attributes.get("training_config")
        if compile and settings:
            settings = json.loads(settings)
            settings["optimizer"] = _optimizer(settings.pop("optimizer_config", "rmsprop"))
            group = root.group("optimizer_weights")
            listed = group.attributes.get("weight_names", []) if isinstance(group, Group) else []
            listed = listed if isinstance(listed, list) else []
            row = [group.dataset(name) for name in listed]
            older = bool(listed) and listed[0].endswith(("iter:0", "iterations:0"))
            _compile(model, _settings(settings), custom_objects, filepath, row, older)
    return model


def load_weights(model, filepath, skip_mismatch, by_name):
    """Read the weights alone, from any of the three kinds of HDF5 files, a `.keras` file or its folder."""
    if os.path.isdir(filepath):
        filepath = os.path.join(filepath, _WEIGHTS)
    with reading(filepath, "file of weights by Keras") as file:
        size = file_size(file)
        if file.read(2) == b"PK":
            members = Members(file, size)
            file, size = io.BytesIO(members.read(_WEIGHTS)), members.sizes[_WEIGHTS]
        root, numbered = open_hdf5(file, size), False
        if "layer_names" in root.attributes or "layer_names0" in root.attributes:
            pairs = pairs_of_layers(model, root, filepath, by_name)
        elif "model_weights" in root:
            pairs = pairs_of_layers(model, root.group("model_weights"), filepath, by_name)
        elif by_name:
            raise ValueError("the weights in it have no names; by_name is for the older kind of file")
        else:
            pairs, numbered = pairs_of_tree(model, root, filepath, skip_mismatch), True
        assign(pairs, model, filepath, skip_mismatch)
        if numbered:
            read_own_variables(model, root)


def load_shards(model, filepath, skip_mismatch):
    """Read the weights alone, from several files that a `.weights.json` file names."""
    root = read_shards(filepath)
    with blaming(filepath, "names files of weights that are damaged"):
        assign(pairs_of_tree(model, root, filepath, skip_mismatch), model, filepath, skip_mismatch)
        read_own_variables(model, root)


def _build(config, custom_objects, size, filepath):
    with blaming(filepath, "holds an architecture that cannot be built"), registry.CustomObjectScope(custom_objects):
        return build(from_keras(config), custom_objects, numbers=GROWTH * size // 4)  # 4 bytes each, perhaps compressed


def _settings(settings):
    """compile's arguments, those that change no result left out."""
    known = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics", "run_eagerly")
    found = {key: _without_wrappers(settings[key]) for key in known if settings.get(key) is not None}
    return {"optimizer": settings.get("optimizer", "rmsprop"), **found}


def _optimizer(config):
    """Keras 2 registered its own optimizers as somebody's: "Custom>Adam"."""
    if isinstance(config, dict) and registry.get_registered_object(config.get("class_name")) is None:
        return {**config, "class_name": str(config.get("class_name")).rpartition(">")[2]}
    return config


def _without_wrappers(value):
    """Keras 2 wrote a function among the metrics as ``{"class_name": "MeanMetricWrapper", "config": {"fn": name}}``."""
    if isinstance(value, list):
        return [_without_wrappers(entry) for entry in value]
    if isinstance(value, dict) and value.get("class_name") in ("MeanMetricWrapper", "LossFunctionWrapper"):
        return value["config"].get("fn")
    if isinstance(value, dict) and "class_name" not in value:
        return {key: _without_wrappers(entry) for key, entry in value.items()}
    if isinstance(value, dict) and isinstance(value.get("config"), dict) and "fn" in value["config"]:  # a loss's own
        config = {key: entry for key, entry in value["config"].items() if key != "fn" and (key, entry) != _BY_ITSELF}
        return {**value, "config": config}
    return value


def _compile(model, settings, custom_objects, filepath, row, older=False, own=False):
    """Compile the model, its optimizer where it stood. If a setting does not exist here, warn, and do not compile."""
    try:
        check_counts(settings)
        with registry.CustomObjectScope(custom_objects):
            settings = from_keras(settings)
            if own:
                model.compile_from_config(settings)
            else:
                optimizer = optimizers.get(settings.pop("optimizer"))
                model.compile(optimizer, **{key: _revived(key, value) for key, value in settings.items()})
    except Exception as problem:  # a setting may be anybody's
        warn_not_compiled(model, filepath, problem)
        return
    if model.optimizer is None:
        return
    arrays = [dataset.read() if isinstance(dataset, Dataset) else dataset for dataset in row]
    try:
        used = set_optimizer_arrays(model.optimizer, model.trainable_params, arrays, older)
        used = used or len(arrays) <= 2
    except ValueError:  # of other shapes than the parameters
        used = False
    if arrays and not used:
        warnings.warn(f"{filepath}: the optimizer begins anew, its state is not one of {optimizer}", stacklevel=5)


def _revived(key, value):
    kind = {"loss": "losses", "metrics": "metrics", "weighted_metrics": "metrics"}.get(key)
    if isinstance(value, dict) and kind and "class_name" in value:
        return registry.deserialize(value, kind)
    if isinstance(value, list):
        return [_revived(key, entry) for entry in value]
    if isinstance(value, dict):
        return {name: _revived(key, entry) for name, entry in value.items()}
    return value


# ---- writing ----


def save_archive(model, filepath, overwrite, include_optimizer):
    """Write a `.keras` file."""
    import zipfile

    with replacing(filepath, overwrite) as file, zipfile.ZipFile(file, "w") as archive:
        for name, content in _members_to_write(model, include_optimizer).items():
            archive.writestr(name, content)


def save_folder(model, path, overwrite, include_optimizer):
    """Write what is in a `.keras` file as files in a folder."""
    write_folder(path, _members_to_write(model, include_optimizer), overwrite)


def _members_to_write(model, include_optimizer):
    config = to_keras(registry.serialize(model))
    settings = _compile_config(model)
    if settings is not None:
        config["compile_config"] = settings
    metadata = {"keras_version": _VERSION, "date_saved": time.strftime("%Y-%m-%d@%H:%M:%S")}
    texts = {"metadata.json": json.dumps(metadata), "config.json": json.dumps(config)}
    return {**texts, _WEIGHTS: hdf5_bytes(*_weights(model, include_optimizer)), **assets_to_write(model)}


def save_hdf5(model, filepath, overwrite, include_optimizer):
    """Write a whole model to an `.h5` file."""
    arrays, attributes = layers_to_write(model, "model_weights")
    config = to_keras(registry.serialize(model))
    attributes[""] = {
        "keras_version": _VERSION,
        "backend": "numpy",
        "model_config": json.dumps({"class_name": config["class_name"], "config": config["config"]}),
    }
    settings = _compile_config(model, asked=False)  # as in Keras
    if settings is not None:
        settings["optimizer_config"] = settings.pop("optimizer")
        settings["loss"] = _in_full(settings["loss"])
        attributes[""]["training_config"] = json.dumps(settings)
        include_optimizer = include_optimizer and model.optimizer is not None
        row = optimizer_arrays(model.optimizer, model.trainable_params) if include_optimizer else None
        if row is not None:
            names = [f"{model.optimizer.name}/{k}" for k in range(len(row))]
            attributes["optimizer_weights"] = {"weight_names": names}
            arrays.update((f"optimizer_weights/{name}", array) for name, array in zip(names, row))
    _write(filepath, overwrite, hdf5_bytes(arrays, attributes))


def _in_full(loss):
    """Names of losses in full: of this kind of file Keras cannot read "mse"."""
    if isinstance(loss, dict):
        return loss if "class_name" in loss else {key: _in_full(entry) for key, entry in loss.items()}
    if isinstance(loss, list):
        return [_in_full(entry) for entry in loss]
    found = registry.find("losses", loss) if isinstance(loss, str) else None
    return loss if found is None else snake_case(found.__name__)


def save_weights(model, filepath, overwrite):
    """Write the weights to a `.weights.h5` file, and the optimizer's state beside them, as Keras does."""
    _write(filepath, overwrite, hdf5_bytes(*_weights(model, include_optimizer=True)))


def save_shards(model, filepath, overwrite, gigabytes):
    """Write the same into several files of at most so many gigabytes, named by a `.weights.json` file."""
    write_shards(filepath, *_weights(model, include_optimizer=True), gigabytes, overwrite)


def _weights(model, include_optimizer):
    """``(arrays, attributes)`` of a `.weights.h5` file, by path."""
    arrays, attributes = tree_to_write(model)
    arrays.update(vocabulary_weights(model))
    if include_optimizer and model.optimizer is not None:
        row = optimizer_arrays(model.optimizer, model.trainable_params)
        if row is not None:
            attributes["optimizer/vars"] = {"name": model.optimizer.name}
            arrays.update((f"optimizer/vars/{k}", array) for k, array in enumerate(row))
    return arrays, attributes


def _write(filepath, overwrite, content):
    with replacing(filepath, overwrite) as file:
        file.write(content)


def _compile_config(model, asked=True):
    settings = compile_settings(model, asked)
    if settings is None:
        return None
    own = asked and is_own(model, "get_compile_config")
    idle = {} if own else {"steps_per_execution": 1, "jit_compile": False}
    return {**to_keras(settings), **idle}
