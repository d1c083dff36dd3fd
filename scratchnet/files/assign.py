"""Copying arrays from a file into a model: all of them, or none."""

import warnings
from typing import Any, NamedTuple

import numpy as np


class Pair(NamedTuple):
    """An array of a model, and the array in a file that belongs to it."""

    name: str  # the weight's key in the model
    weight: np.ndarray
    stored: Any  # an array, or something with `shape` and `read()` that is read only when everything fits


def assign(pairs, model, filepath, skip_mismatch=False):
    """Copy what is stored into the weights.

    Raises ValueError, and changes nothing, if a shape differs or if something else than numbers is stored; with
    `skip_mismatch` weights of other shapes are left alone, and a warning names them.
    """
    skipped = [pair for pair in pairs if tuple(pair.stored.shape) != pair.weight.shape]
    if skipped:
        listed = "; ".join(f"{p.name} has shape {tuple(p.stored.shape)}, the model's {p.weight.shape}" for p in skipped)
        if not skip_mismatch:
            raise ValueError(f"{filepath} belongs to another architecture than {model!r}: {listed}")
        warnings.warn(f"{filepath}: left out were weights of other shapes: {listed}", stacklevel=3)
    fitting = [pair for pair in pairs if tuple(pair.stored.shape) == pair.weight.shape]
    arrays = []
    for pair in fitting:
        array = pair.stored if isinstance(pair.stored, np.ndarray) else pair.stored.read()
        if np.asarray(array).dtype.kind not in "fiub":
            raise ValueError(f"{filepath}: {pair.name} is of dtype {array.dtype}, expected numbers")
        arrays.append(array)
    for pair, array in zip(fitting, arrays):
        pair.weight[...] = array


def mismatch(filepath, model, missing, extra):
    """The ValueError for a file that has other weights than the model, with both lists."""
    return ValueError(
        f"{filepath} belongs to another architecture than {model!r}: "
        f"missing are {', '.join(missing) or 'none'}; not in the model are {', '.join(extra) or 'none'}"
    )
