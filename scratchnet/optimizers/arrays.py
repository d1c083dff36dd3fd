"""Helpers for dicts of arrays: sums, norms and names, and how to divide their elements among threads."""

import functools
import operator
from typing import Any, NamedTuple

import numpy as np

from scratchnet import kernels

STRETCH = 1 << 17  # elements that are updated at a time: few enough for the cache, enough to be worth a call
SMALLEST_SHARE = 1 << 18  # elements: below this, a thread of its own costs more than it saves


def total_of(arrays):
    """The sum, in the order of the list; a single array is returned itself."""
    total = arrays[0]
    for array in arrays[1:]:
        total = total + array
    return total


def cut(array, stretch):
    """A stretch of `array`, flat, as a view; None stands for all of it as it is."""
    return array if stretch is None else array.reshape(-1)[stretch]


def divided(params, shares):
    """All elements of all parameters in at most `shares` equal shares: lists of (key, slice)."""
    return _divided(tuple((key, w.size) for key, w in params.items()), shares)


@functools.lru_cache(maxsize=16)  # the same at every step
def _divided(sizes, shares):
    total = sum(size for _, size in sizes)
    shares = max(1, min(shares, total // SMALLEST_SHARE))
    divided = [[] for _ in range(shares)]
    first = 0  # where a parameter begins in the row of all
    for key, size in sizes:
        for k, share in enumerate(divided):
            start = max(total * k // shares - first, 0)
            stop = min(total * (k + 1) // shares - first, size)
            share += [(key, slice(at, min(at + STRETCH, stop))) for at in range(start, stop, STRETCH)]
        first += size
    return divided


def dealt(params, shares):
    """Whole parameters in at most `shares` shares: the largest comes first, and each goes to the smallest share."""
    shares = [[] for _ in range(max(1, min(shares, len(params))))]
    for key in sorted(params, key=lambda key: -params[key].size):
        min(shares, key=lambda share: sum(params[k].size for k, _ in share)).append((key, None))
    return shares


class Stretch(NamedTuple):
    """What one call of a rule changes."""

    key: str  # of the parameter
    place: Any  # where in the parameter it lies: a slice of its elements; or None, all of it as it is
    param: Any  # the elements themselves, as a view
    slots: dict  # those of the slots, by the names of these


class Stretches:
    """The shares of all parameters and their slots, cut once for all steps in which the arrays are the same ones."""

    def __init__(self):
        self._known = self._arrays = self._shares = None

    def of(self, params, state, slot_names, division, shares):
        """Lists of `Stretch`es: what `division`, which is `divided` or `dealt`, makes of `params`."""
        known, arrays = (*params, division, shares), [*params.values(), *state.values()]
        if known != self._known or len(arrays) != len(self._arrays) or not all(map(operator.is_, arrays, self._arrays)):
            self._known, self._arrays = known, arrays
            self._shares = [
                [
                    Stretch(key, place, cut(params[key], place), _slots(state, slot_names, key, place))
                    for key, place in share
                ]
                for share in division(params, shares)
            ]
        return self._shares

    def __reduce__(self):
        return Stretches, ()  # in a copy the views would not be of the copied arrays


def _slots(state, names, key, place):
    found = ((name, state.get(f"{name}/{key}")) for name in names)
    return {name: cut(array, place) for name, array in found if array is not None}


def named_arrays(variables):
    """A list of weights of layers, or of arrays, as a dict from path to array."""
    found = {}
    for k, variable in enumerate(variables):
        key = getattr(variable, "path", f"variable_{k}")
        while key in found:
            key += "_"
        found[key] = getattr(variable, "array", variable)
    return found


def writer(array):
    def write(value):
        array[...] = value

    return write


def compiled(param):
    """Whether there are kernels in the place of the rules that NumPy follows, which give the same bits in one pass."""
    return kernels.sgd_update is not None and param.dtype in (np.float32, np.float64)


def decay_weights(param, share):
    """w -= share w"""
    if compiled(param):
        kernels.decay_weights(param.reshape(-1), share)
    else:
        param -= param * param.dtype.type(share)


def average_weights(average, param, momentum):
    """average = momentum average + (1 - momentum) w"""
    if compiled(param):
        kernels.average_weights(average.reshape(-1), param.reshape(-1), momentum)
    else:
        average *= momentum
        average += param * param.dtype.type(1 - momentum)


def listed(parameters):
    return ", ".join(f"{key} {shape} {dtype}" for key, (shape, dtype) in parameters.items()) or "none"
