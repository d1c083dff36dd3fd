"""Where Keras puts the weights of a model in its two kinds of HDF5 files.

Keras 3 (``model.weights.h5`` in a `.keras` file, and `.weights.h5` files) follows the objects:

    layers/dense/vars/0                     a layer's own weights, numbered
    layers/lstm/cell/vars/0                 an object within an attribute of the layer
    layers/sequential/layers/dense/vars/0   a layer within a model within the model
    encoder/vars/0, blocks/dense_1/vars/0   a layer that is an attribute of a model, or in a list that is one

where "dense" is not the layer's name but its class's, in snake case and counted: dense, dense_1, ... Keras goes through
attributes in the order of their names, of which "layers" is one: those behind it have nothing left to say. Files are
written with all layers in "layers", where Keras looks as well.

Before (whole models in `.h5` files, and files of weights alone), there was a group for each layer, by name, with an
attribute that lists its weights in order, those that are trained first.
"""

import warnings

import numpy as np

from scratchnet.files.assign import Pair, mismatch
from scratchnet.files.hdf5 import Group
from scratchnet.graph.attributes import is_own_attribute
from scratchnet.layers.base import Layer
from scratchnet.layers.normalization.spectral_normalization import SpectralNormalization
from scratchnet.layers.rnn.conv_lstm import ConvLSTM
from scratchnet.layers.rnn.recurrent import Recurrent
from scratchnet.layers.sublayers import HoldsLayers
from scratchnet.names import snake_case

_CLASSES_OF_KERAS = {"Model": "Functional"}
_NO_WEIGHTS = ("seed_generator", "_seed_generator", "_lookup_layer")  # what is below is kept in other ways
_OWN = "save_own_variables", "load_own_variables"
_DEEPEST = 200  # levels of groups that are looked through; a file may have a group that contains itself

# ---- as Keras 3 has them ----


def keeps_its_own(layer):
    """Whether the class of the layer says itself what is kept of its weights."""
    return any(getattr(type(layer), name) is not getattr(Layer, name) for name in _OWN)


def tree(model, by_attribute=False):
    """Dict from path to ``(layer, {key: array})``: all objects that Keras saves, in its order, each once.

    by_attribute: whether layers that are attributes of models have their names.
    """
    found, seen = {}, set()

    def visit(layer, path, key):
        if layer in seen:
            return
        seen.add(layer)
        own = {**layer._params, **layer._state}
        if isinstance(layer, SpectralNormalization):  # the weight that it normalizes is one of its own as well
            own = {**dict(list(layer.named_arrays().items())[:1]), **own}
        # in Keras the weights are those of a cell within the layer
        if isinstance(layer, (Recurrent, ConvLSTM)) and not keeps_its_own(layer):
            found[path] = layer, {}
            path = f"{path}cell/"
        found[path] = layer, {f"{key}{name}": array for name, array in own.items()}
        if hasattr(layer, "layers"):  # a model
            for place, sublayer in _attributes_before_layers(layer) if by_attribute else ():
                visit(sublayer, f"{path}{place}/", f"{key}{sublayer.name}/")
            for name, sublayer in zip(_counted(layer.layers), layer.layers):
                visit(sublayer, f"{path}layers/{name}/", f"{key}{sublayer.name}/")
        elif isinstance(layer, HoldsLayers):
            for prefix, sublayer in layer.sublayers.items():
                visit(sublayer, f"{path}{_place(layer, sublayer)}/", f"{key}{prefix}/" if prefix else key)

    visit(model, "", "")
    return found


def tree_in(root, model):
    """The `tree` of a model as it is laid out in this file."""
    found = tree(model, by_attribute=True)
    in_layers = tree(model)
    if found.keys() == in_layers.keys():
        return in_layers
    differing = [path for path, (_, arrays) in found.items() if arrays and path not in in_layers]
    return found if any(len(root.group(f"{path}vars")) for path in differing) else in_layers


def _attributes_before_layers(model):
    """``(place, layer)`` of the public attributes of a model, and of lists and dicts that are one."""
    found = []
    for attribute, value in sorted(vars(model).items()):
        if attribute.startswith("_") or attribute > "layers" or is_own_attribute(model, attribute):
            continue
        if isinstance(value, Layer):
            found.append((attribute, value))
            continue
        value = list(value.values()) if isinstance(value, dict) else value
        entries = [entry for entry in value if isinstance(entry, Layer)] if isinstance(value, (list, tuple)) else []
        found += [(f"{attribute}/{name}", entry) for name, entry in zip(_counted(entries), entries)]
    return found


def _place(layer, sublayer):
    """The attribute that holds a sublayer, such as "layer" or "cells/lstm_cell_1"."""
    for attribute, value in sorted(vars(layer).items(), key=lambda item: (item[0].startswith("_"), item[0])):
        if value is sublayer:
            return f"_{attribute}" if type(layer).__name__ == "GroupedQueryAttention" else attribute
        value = list(value.values()) if isinstance(value, dict) else value
        if isinstance(value, (list, tuple)) and any(entry is sublayer for entry in value):
            layers = [entry for entry in value if isinstance(entry, Layer)]
            return f"{attribute}/{_counted(layers)[[entry is sublayer for entry in layers].index(True)]}"
    raise ValueError(f"{sublayer.name!r} is not an attribute of {layer.name!r}")


def _counted(layers):
    """The names of the layers' groups: their classes in snake case, with a number from the second on."""
    counts, names = {}, []
    for layer in layers:
        name = snake_case(_CLASSES_OF_KERAS.get(type(layer).__name__, type(layer).__name__))
        names.append(f"{name}_{counts[name]}" if name in counts else name)
        counts[name] = counts.get(name, 0) + 1
    return names


def pairs_of_tree(model, root, filepath, skip_mismatch=False):
    """The list of Pairs of a model and a file in the layout of Keras 3; with `skip_mismatch` of what both have."""
    older = "_layer_checkpoint_dependencies" if "_layer_checkpoint_dependencies" in root else "layers"
    pairs, missing, extra, read = [], [], [], set()
    for path, (layer, arrays) in (tree(model) if older != "layers" else tree_in(root, model)).items():
        path = f"{path.replace('layers', older)}vars"
        if keeps_its_own(layer):  # see `keras_assets`
            read.add(path)
            continue
        above, _, attribute = path.removesuffix("/vars").rpartition("/")
        if arrays and not len(root.group(path)):  # the attribute may have been a private one
            path = f"{above}/_{attribute}/vars" if len(root.group(f"{above}/_{attribute}/vars")) else path
        stored, names = _numbered(root.group(path)), list(arrays)
        if isinstance(layer, SpectralNormalization) and len(stored) == 1:  # files that were written here before
            names = names[1:]
        read.add(path)
        missing += names[len(stored) :]
        extra += [f"{path}/{k}" for k in range(len(names), len(stored))]
        pairs += [Pair(name, arrays[name], dataset) for name, dataset in zip(names, stored)]
    extra += [path for path in _places_of_weights(root, older) if path not in read]
    if missing or extra:
        problem = mismatch(filepath, model, missing, extra)
        if not skip_mismatch:
            raise problem
        warnings.warn(f"left out: {problem}", stacklevel=4)
    return pairs


def _places_of_weights(root, start):
    """The paths of all groups "vars" with arrays in them below `start`, other than those of random numbers."""
    waiting = [(start, root)] if start in root else []
    while waiting:
        path, group = waiting.pop()
        *above, name = path.split("/")
        found = group[name] if len(above) < _DEEPEST else None
        if not isinstance(found, Group) or name in _NO_WEIGHTS:
            continue
        if name == "vars" and len(found):
            yield path
        waiting.extend((f"{path}/{inner}", found) for inner in found if name != "vars")


def _numbered(group):
    """The datasets 0, 1, 2, ... of a group; the file lists "10" before "2"."""
    names = [name for name in group if name != "idf_weights"]  # see `keras_assets`
    if not all(name.isdecimal() for name in names) or sorted(map(int, names)) != list(range(len(names))):
        raise ValueError(f"the weights of an object are not numbered but {', '.join(names[:10])}")
    return [group.dataset(str(k)) for k in range(len(names))]


def tree_to_write(model):
    """``(arrays, attributes)`` by path, in the layout of Keras 3."""
    arrays, attributes = {}, {}
    for path, (layer, own) in tree(model).items():
        attributes[f"{path}vars"] = {"name": layer.name}
        if keeps_its_own(layer):
            own = {}
            layer.save_own_variables(own)
            arrays.update((f"{path}vars/{name}", np.asarray(value)) for name, value in own.items())
            continue
        arrays.update((f"{path}vars/{k}", array) for k, array in enumerate(own.values()))
    return arrays, attributes


# ---- as they were before ----


def _in_old_order(layer):
    """Dict from key to array, first those that are trained."""
    arrays, trained = layer.named_arrays(), layer.trainable_params
    return {**{key: arrays[key] for key in arrays if key in trained}, **arrays}


def pairs_of_layers(model, group, filepath, by_name=False):
    """The list of Pairs of a model and a file in the older layout; layers are matched in order, or by name."""
    stored = {name: _listed(group[name]) for name in _texts(group.attributes, "layer_names")}
    stored = {name: datasets for name, datasets in stored.items() if datasets}
    layers = {layer.name: layer for layer in model.layers if layer.named_arrays()}
    if by_name:
        matched = [(layers[name], datasets) for name, datasets in stored.items() if name in layers]
    elif len(stored) != len(layers):
        raise mismatch(filepath, model, list(layers)[len(stored) :], list(stored)[len(layers) :])
    else:
        matched = list(zip(layers.values(), stored.values()))
    pairs = []
    for layer, datasets in matched:
        own = _in_old_order(layer)
        if len(own) != len(datasets):
            raise ValueError(
                f"{filepath} belongs to another architecture than {model!r}: it has {len(datasets)} weights for "
                f"{layer.name!r}, the layer has {len(own)} ({', '.join(own)})"
            )
        pairs += [Pair(f"{layer.name}/{key}", array, dataset) for (key, array), dataset in zip(own.items(), datasets)]
    return pairs


def _listed(group):
    """The datasets of a layer in the order of their list."""
    if not isinstance(group, Group):
        raise ValueError("a layer without weights of its own")
    return [group.dataset(name) for name in _texts(group.attributes, "weight_names")]


def _texts(attributes, name):
    """A list of texts; one that is too long for an attribute is cut into several, name0, name1, ..."""
    if name in attributes:
        found = attributes[name]
    elif f"{name}0" in attributes:
        numbers = sorted(
            int(key[len(name) :]) for key in attributes if key[: len(name)] == name and key[len(name) :].isdecimal()
        )
        found = [text for k in numbers for text in attributes[f"{name}{k}"]]
    else:
        raise ValueError(f"the list of {name} is missing")
    if isinstance(found, np.ndarray) and found.size == 0:  # an empty list has no type
        return []
    if not isinstance(found, list):
        raise ValueError(f"the list of {name} is none")
    return found


_LONGEST_ATTRIBUTE = 60_000  # an HDF5 attribute has room for 64 kB


def layers_to_write(model, prefix):
    """``(arrays, attributes)`` by path, in the older layout below the group `prefix`."""
    arrays = {}
    attributes = {prefix: _cut("layer_names", [layer.name for layer in model.layers])}
    attributes[prefix].update(backend="numpy", keras_version="3.0.0")
    for layer in model.layers:
        own = {f"{layer.name}/{key}": array for key, array in _in_old_order(layer).items()}
        attributes[f"{prefix}/{layer.name}"] = _cut("weight_names", list(own))
        arrays.update((f"{prefix}/{layer.name}/{key}", array) for key, array in own.items())
    attributes[f"{prefix}/top_level_model_weights"] = {"weight_names": np.array([])}
    return arrays, attributes


def _cut(name, texts):
    """The attributes for a list of texts: one, or several if it is long."""
    texts = np.array([text.encode() for text in texts]) if texts else np.array([])
    pieces = -(-texts.nbytes // _LONGEST_ATTRIBUTE)
    if pieces <= 1:
        return {name: texts}
    return {f"{name}{k}": piece for k, piece in enumerate(np.array_split(texts, pieces))}
