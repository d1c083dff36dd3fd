"""Values that change, under the names of `keras.backend`: to make them, to read them, to set them."""

import numpy as np

from scratchnet.variables import Variable


def get_value(x):
    """The values of an array or a weight."""
    return x.numpy() if hasattr(x, "numpy") else x


def eval(x):
    """The values of an array or a weight. A symbolic tensor has none."""
    return np.asarray(x)


def set_value(x, value):
    """Give a weight other values."""
    if not hasattr(x, "assign"):
        raise TypeError(
            f"set_value: {x!r} is no weight of a layer; only those, and settings of an optimizer, can be set"
        )
    x.assign(value)


def variable(value, dtype=None, name=None, constraint=None):
    """A `scratchnet.Variable`, whose value may change: by `set_value`, or as a layer's attribute by training."""
    return Variable(value, dtype=dtype, name=name)


def update(x, new_x):
    """``x.assign(new_x)``."""
    return x.assign(new_x)


def update_add(x, increment):
    """``x.assign_add(increment)``."""
    return x.assign_add(increment)


def batch_get_value(tensors):
    """The values of several weights."""
    return [get_value(x) for x in tensors]


def batch_set_value(tuples):
    """Give several weights other values."""
    for x, value in tuples:
        set_value(x, value)
