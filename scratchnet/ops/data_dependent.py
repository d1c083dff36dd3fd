"""Functions whose results depend on values so much that there is no derivative; most even have a size that does.

Those compute on arrays; there is nothing to trace.
"""

import numpy as np

from scratchnet.ops.dtypes import floats, kept
from scratchnet.ops.operation import is_symbolic, operation, shape_of


def _known(name, *xs):
    """The arguments as arrays. Raises TypeError for a symbolic tensor."""
    for x in xs:
        if is_symbolic(x):
            raise TypeError(f"{name}: the size of the result depends on values, so it cannot be traced, only computed")
    return kept(xs)


def nonzero(x):
    """The places where x is not 0: an array of int32 for each axis."""
    [x] = _known("nonzero", x)
    return tuple(places.astype(np.int32) for places in np.nonzero(x))


def unique(
    x, sorted=True, return_index=False, return_inverse=False, return_counts=False, axis=None, size=None, fill_value=None
):
    """The different elements, the smallest first, and what else is asked for, as `numpy.unique`.

    size: so many of them, by default any number; where there are fewer, `fill_value` (by default the smallest), which
        is counted 0 times.
    """
    [x] = _known("unique", x)
    results = np.unique(x, return_index, return_inverse, return_counts, axis, equal_nan=False)
    values, *others = results if isinstance(results, tuple) else (results,)
    others = [other.astype(np.int32) for other in others]
    if size is not None:
        if return_counts:
            others[-1] = np.pad(others[-1][:size], (0, max(size - len(others[-1]), 0)))
        along = axis or 0
        values = np.take(values, range(min(size, values.shape[along])), along)
        if missing := size - values.shape[along]:
            filling = np.take(values, [0] * missing, along)
            if fill_value is not None:
                filling = np.full_like(filling, fill_value)
            values = np.concatenate([values, filling], along)
    return (values, *others) if others else values


def bincount(x, weights=None, minlength=0, sparse=False):
    """How often each integer from 0 on stands in x (of a matrix: in each row), or the sum of its weights there."""
    if sparse:
        raise ValueError("bincount: sparse=True is not supported")
    [x] = _known("bincount", x)
    rows = np.atleast_2d(x)
    if weights is None:
        dtype, weights = np.int32, [None] * len(rows)
    else:
        [weights] = _known("bincount", weights)
        dtype, weights = weights.dtype, np.atleast_2d(weights)
    length = max(minlength, int(rows.max(initial=-1)) + 1)
    counts = np.stack([np.bincount(row, w, length) for row, w in zip(rows, weights)]).astype(dtype)
    return counts[0] if x.ndim == 1 else counts


@operation(name="part_of_histogram", x=None, dtypes=floats, options=("bins", "range", "bounds"))
def _part_of_histogram(x, bins, range, bounds):
    return np.histogram(x, bins, range)[int(bounds)].astype(x.dtype)


def histogram(x, bins=10, range=None):
    """``(counts, bounds)`` of `bins` equal parts of the range, by default that of x; floats."""
    if len(shape_of(x)) != 1:
        raise ValueError(f"histogram: x must have one axis, got the shape {shape_of(x)}")
    return tuple(_part_of_histogram(x, bins, range, bounds) for bounds in (False, True))


def unravel_index(indices, shape):
    """The places in an array of this shape of elements counted row by row: an array of int32 for each axis."""
    [indices] = _known("unravel_index", indices)
    return tuple(places.astype(np.int32) for places in np.unravel_index(indices % np.prod(shape), shape))
