"""Checks of constructor arguments: the value in its final form, or an error that names the owner and the argument.

The owner is anything with an `error` method: a layer, a loss, an optimizer.
"""

import math

import numpy as np

from scratchnet import config


def check_number(layer, argument, value, below=math.inf, at_most=math.inf, may_be_negative=False):
    """`value` as a float of at least 0 and within these bounds, or an error that names the layer and the argument."""
    is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not is_number or not (0 <= value or may_be_negative) or not -math.inf < value < below or value > at_most:
        wanted = "finite number" + " of at least 0" * (not may_be_negative)
        if min(below, at_most) < math.inf:
            wanted = f"number in [0, {below})" if below < math.inf else f"number in [0, {at_most}]"
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


def check_data_format(layer, value):
    """ "channels_last" or "channels_first"; None is `scratchnet.config.image_data_format()`."""
    if value not in (None, "channels_last", "channels_first"):
        raise layer.error(f'data_format must be "channels_last" or "channels_first", got {value!r}')
    return value or config.image_data_format()


def check_sizes(layer, argument, value, rank, smallest=1):
    """One integer, or `rank` of them, as a tuple: sizes for each of the `rank` axes of space."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank
    fits = len(values) == rank and all(
        isinstance(v, (int, np.integer)) and not isinstance(v, bool) and v >= smallest for v in values
    )
    if not fits:
        number = "integer" if rank == 1 else "integers"
        kind = f"positive {number}" if smallest == 1 else f"{number} of at least {smallest}"
        count = "one" if rank == 1 else f"one or {rank}"
        raise layer.error(f"{argument} must be {count} {kind}, got {value!r}")
    return tuple(int(v) for v in values)


def check_axes(layer, value):
    """An axis, or several as a list, or a TypeError."""
    axes = list(value) if isinstance(value, (list, tuple)) else [value]
    if any(isinstance(axis, bool) or not isinstance(axis, (int, np.integer)) for axis in axes):
        raise layer.error(f"axis must be an integer or a list of integers, got {value!r}", TypeError)
    return axes if isinstance(value, (list, tuple)) else int(value)


def check_margins(layer, argument, value, rank):
    """What is added or cut at both ends of each of `rank` axes, in pairs; of one number, one for each, or pairs."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank
    wrong = len(values) != rank
    if rank == 1 and isinstance(value, (tuple, list)) and values and not isinstance(values[0], (tuple, list)):
        values, wrong = (values,), len(values) != 2
    if wrong:
        raise layer.error(f"{argument} must be one integer, or {rank} integers or pairs of them, got {value!r}")
    return tuple(check_sizes(layer, argument, v, 2, smallest=0) for v in values)


def check_bounds(owner, argument, value, at_least=None, above=None, below=None, at_most=None):
    """`value` as a Python number within the bounds, or a ValueError that names the argument."""
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    fits = number and np.isfinite(value)
    fits = fits and (at_least is None or value >= at_least) and (above is None or value > above)
    if not fits or (below is not None and value >= below) or (at_most is not None and value > at_most):
        bounds = [f"at least {at_least}"] * (at_least is not None) + [f"above {above}"] * (above is not None)
        bounds += [f"below {below}"] * (below is not None) + [f"at most {at_most}"] * (at_most is not None)
        raise ValueError(f"{owner}: {argument} must be a number {' and '.join(bounds)}, got {value!r}")
    return value.item() if isinstance(value, np.generic) else value


def check_count(owner, argument, value, at_least):
    """`value` if it is None or an integer of at least so much."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < at_least):
        raise ValueError(f"{owner}: {argument} must be None or an integer of at least {at_least}, got {value!r}")
    return value
