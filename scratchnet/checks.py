"""Checks of constructor arguments: the value in its final form, or an error that names the owner and the argument.

The owner is anything with an `error` method: a layer, a loss, an optimizer.
"""

import math

import numpy as np


def check_number(layer, argument, value, below=math.inf):
    """`value` as a float of at least 0 and less than `below`, or an error that names the layer and the argument."""
    is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not is_number or not 0 <= value < below:
        wanted = "finite number of at least 0" if below == math.inf else f"number in [0, {below})"
        raise layer.error(f"{argument} must be a {wanted}, got {value!r}")
    return float(value)


def check_positive_int(layer, argument, value):
    """`value` as an int of at least 1, or an error that names the layer and the argument."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise layer.error(f"{argument} must be a positive integer, got {value!r}")
    return int(value)


def check_pair(layer, argument, value):
    """One positive integer, or two, as a pair (for height and width)."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(values) != 2:
        raise layer.error(f"{argument} must be one or two positive integers, got {value!r}")
    return tuple(check_positive_int(layer, argument, v) for v in values)


def check_padding(layer, value):
    """ "valid" or "same", in any case, as it is written in lower case."""
    padding = value.lower() if isinstance(value, str) else value
    if padding not in ("valid", "same"):
        raise layer.error(f'padding must be "valid" or "same", got {value!r}')
    return padding
