"""What Keras keeps of layers beside their numbered weights, and our own files of classes of one's own as well.

    assets/layers/string_lookup/vocabulary.txt        in a `.keras` file, one word in each line
    layers/string_lookup/vars/idf_weights             among the weights, for "tf_idf"
    assets/layers/my_layer/anything.txt               what the `save_assets` of a class of your own has written
    layers/my_layer/vars/anything                     and its `save_own_variables`

We write vocabularies into the configuration, where Keras reads them, too.
"""

import os
import tempfile
from pathlib import Path

import numpy as np

from scratchnet.files.keras_weights import keeps_its_own, tree, tree_in


def read_assets(model, members, root):
    """Give the layers of the model the vocabularies and files that lie in the archive, and the weights of their words.

    Raises ValueError for a file that would be written elsewhere than into the folder of its layer.
    """
    for path, (layer, _) in tree_in(root, model).items():
        folder = f"assets/{path}"
        if hasattr(layer, "load_vocabulary") and f"{folder}vocabulary.txt" in members.sizes:
            weights = root.group(f"{path}vars")
            found = weights.dataset("idf_weights").read() if "idf_weights" in weights else None
            layer.load_vocabulary(members.read(f"{folder}vocabulary.txt").decode("utf-8"), found)
    read_own_assets(model, members.sizes, members.read)


def read_own_assets(model, names, read):
    """Give layers whose class has a `load_assets` a folder with those files that ``read(name)`` has for them."""
    for path, (layer, _) in tree(model).items():
        folder = f"assets/{path}"
        if hasattr(layer, "load_assets"):
            with tempfile.TemporaryDirectory() as inner_path:
                for name in names:
                    if name.startswith(folder) and not name.endswith("/"):
                        _unpack(read(name), name.removeprefix(folder), Path(inner_path))
                layer.load_assets(inner_path)


def _unpack(content, name, folder):
    """Write a member of an archive, in which anybody may have named it, below `folder`."""
    target = Path(os.path.normpath(folder / name))
    if not target.is_relative_to(folder):
        raise ValueError(f"the member {name!r} leaves the folder of its layer")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def assets_to_write(model):
    """Dict from member of the archive to bytes: what the `save_assets` of the layers has written into a folder."""
    found = {}
    for path, (layer, _) in tree(model).items():
        if hasattr(layer, "save_assets"):
            with tempfile.TemporaryDirectory() as inner_path:
                layer.save_assets(inner_path)
                for file in sorted(Path(inner_path).rglob("*")):
                    if file.is_file():
                        found[f"assets/{path}{file.relative_to(inner_path).as_posix()}"] = file.read_bytes()
    return found


def read_own_variables(model, root):
    """Give layers whose class says itself what is kept of their weights what the file has of it."""
    for path, (layer, _) in tree_in(root, model).items():
        if keeps_its_own(layer):
            group = root.group(f"{path}vars")
            layer.load_own_variables({name: group.dataset(name).read() for name in group})


def own_variables(model):
    """Dict from path to array: what such classes keep of their layers' weights."""
    found = {}
    for path, (layer, _) in tree(model).items():
        if keeps_its_own(layer):
            store = {}
            layer.save_own_variables(store)
            found.update((f"{path}{name}", np.array(value)) for name, value in store.items())
    return found


def set_own_variables(model, kept):
    """Give such layers back what `own_variables` has found."""
    for path, (layer, _) in tree(model).items():
        if keeps_its_own(layer):
            names = [key for key in kept if key.startswith(path) and "/" not in key.removeprefix(path)]
            layer.load_own_variables({key.removeprefix(path): kept[key] for key in names})


def vocabulary_weights(model):
    """Dict from path to array: the weights of words as Keras reads them."""
    found = {}
    for path, (layer, _) in tree(model).items():
        weights = layer.word_weights() if hasattr(layer, "word_weights") else None
        if weights is not None:
            found[f"{path}vars/idf_weights"] = weights
            if type(layer).__name__ == "TextVectorization":  # Keras looks in both places
                found[f"{path}_lookup_layer/vars/idf_weights"] = weights
    return found
