"""Inputs away from kinks, parameters away from symmetry, and names of reports."""

import numpy as np

from scratchnet.structure import map_structure

F64 = {"dtype": "float64"}


def separated(rng, shape):
    """A permutation of values at a distance of 0.1: no two are near each other, and none is near 0."""
    count = int(np.prod(shape))
    return (rng.permutation(count) - count / 2 + 0.25).reshape(shape) / 10.0


def randomize(layer, x, rng):
    """Build `layer` for `x` and give every parameter random, asymmetric values: constant ones hide swapped gates."""
    layer.ensure_built(map_structure(np.shape, x))
    for parameter in layer.params.values():
        parameter[...] = rng.normal(scale=0.5, size=parameter.shape)


def named(name, report):
    report.subject = name
    return report


def describe(layer):
    """The layer without its name, which counts."""
    return repr(layer).replace(f"name={layer.name!r}, ", "").replace(f"name={layer.name!r}", "")


def in_parts(x):
    """`x` with three times as many rows, so that there are enough for three parts; None stays None."""
    return map_structure(lambda a: a if a is None else np.concatenate([a, a[::-1], a]), x)
