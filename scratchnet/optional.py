"""Packages that only some parts of the library need, and that the others do without."""

import importlib
import importlib.util

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
        raise _missing(root) from problem


def expect(module):
    """Raise the error of `require` now if a package is missing, without importing it: that may take half a second."""
    if importlib.util.find_spec(module) is None:
        raise _missing(module)


def _missing(module):
    package = _PACKAGES.get(module, module)
    return ImportError(f"this needs {package}: pip install {package}", name=module)
