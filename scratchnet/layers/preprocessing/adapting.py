"""What `adapt` is given: arrays, or batches of them."""

import itertools

import numpy as np


def batches_of(layer, data):
    """``(first, batches)``: an iterator over the batches of `data` as arrays, and the first of them.

    Args:
        layer: for errors.
        data: one array, or an iterable of batches; of a batch that is a tuple, (x, y), the first entry counts.

    Raises TypeError for what is no data, ValueError where there is no batch.
    """
    if hasattr(data, "__array__"):
        batches = iter([np.asarray(data)])
    elif hasattr(data, "__iter__") or (hasattr(data, "__getitem__") and hasattr(data, "__len__")):
        given = data if hasattr(data, "__iter__") else (data[k] for k in range(len(data)))
        batches = (np.asarray(batch[0] if isinstance(batch, tuple) else batch) for batch in given)
    else:
        raise layer.error(f"adapt takes an array or batches of arrays, got {type(data).__name__}", TypeError)
    first = next(batches, None)
    if first is None:
        raise layer.error("adapt was given no data")
    return first, itertools.chain([first], batches)
