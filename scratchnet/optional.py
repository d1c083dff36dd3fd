"""Packages that only some parts of the library need, and that the others do without."""

import importlib

_PACKAGES = {"PIL": "pillow", "skimage": "scikit-image", "sklearn": "scikit-learn"}


def require(module):
    """Import a module that may be missing.

    Raises ImportError with the command that installs its package if that package is missing. A package that is there
    and fails to import raises its own error.
    """
    root = module.split(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as problem:
        if (problem.name or "").split(".")[0] != root:
            raise
        package = _PACKAGES.get(root, root)
        raise ImportError(f"this needs {package}: pip install {package}", name=root) from problem
