"""Tensors that are read tile by tile, as the gates of an LSTM are: by slices that leave nothing out and do not overlap.

The adjoint of such a tensor is put together of those of the slices. That takes no array of zeros to add them into, and
every number is written once.
"""

import numpy as np


def find_tiles(readers):
    """Dict from the tensors that are read by slices alone, which tile them, to the nodes of these slices.

    `readers`: a dict from the tensors that nobody else reads to the nodes that do.
    """
    return {
        tensor: found
        for tensor, found in readers.items()
        if len(found) > 1
        and all(node.tile is not None for node in found)
        and _cover(tensor.shape, [node.tile for node in found])
    }


def _cover(shape, keys):
    """Whether each element of an array of this shape, with None where a size is not known, is at just one of `keys`."""
    keys = [_by_axis(key, len(shape)) for key in keys]
    if None in keys:
        return False
    unknown = [axis for axis, n in enumerate(shape) if n is None]
    if any(key[axis] != slice(None) for key in keys for axis in unknown):
        return False
    covered = np.zeros([1 if n is None else n for n in shape], bool)
    for key in keys:
        if covered[key].any():
            return False
        covered[key] = True
    return bool(covered.all())


def _by_axis(key, ndim):
    """A key with an entry for each axis; None for one that adds axes."""
    key = key if isinstance(key, tuple) else (key,)
    if any(entry is None for entry in key):
        return None
    places = [k for k, entry in enumerate(key) if entry is Ellipsis]
    first, last = (key[: places[0]], key[places[0] + 1 :]) if places else (key, ())
    return (*first, *[slice(None)] * (ndim - len(first) - len(last)), *last)
