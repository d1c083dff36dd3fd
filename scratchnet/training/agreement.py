"""What ranks that train together tell one another before the first step: that model, data and settings are the same.

Settings, sizes and dtypes of the data, checksums of the weights and of a few samples: what differs is named in an error
on all ranks (`scratchnet.parallel.agreement`).
"""

import zlib

import numpy as np

from scratchnet.structure import flatten


def facts_of(model, data):
    """What ranks have to agree in about a model and its data sets (dict from name to data set or None)."""
    facts = {}
    for name, found in data.items():
        facts[f"the {name} data"] = None if found is None else found.described()
    arrays = model.named_arrays()
    facts["the weights"] = {key: f"{w.shape} {w.dtype}" for key, w in arrays.items()}
    facts["the weights (set the seed, or call set_distribution before the model is made)"] = _checksum(arrays.values())
    facts["the seeds of layers"] = [stream.seed for stream in model.random_streams().values()]
    return facts


def facts_of_training(model):
    """The same about what compile was told."""
    optimizer = model.optimizer
    rate = optimizer.learning_rate
    return {
        "the optimizer": f"{type(optimizer).__name__} after {optimizer.steps} steps, learning rate {float(rate)!r}",
        "the losses": [(term.name, term.loss.name, term.weight) for term in model._objective.terms],
        "the trainable parameters": list(model.trainable_params),
    }


def described(arrays):
    """Sizes and dtypes of arrays, and a checksum of three of their rows: nobody reads all of them for this."""
    arrays = [a for a in flatten(arrays) if a is not None]
    few = [a[k] for a in arrays for k in (0, len(a) // 2, len(a) - 1)]
    kinds = ", ".join(f"{a.dtype} {tuple(a.shape)}" for a in arrays)
    return f"{kinds}, checksum {_checksum(few)}"


def _checksum(arrays):
    value = 0
    for a in arrays:
        a = np.asarray(a)
        value = zlib.crc32(repr(a).encode() if a.dtype.kind in "OUS" else np.ascontiguousarray(a).tobytes(), value)
    return f"{value:08x}"
