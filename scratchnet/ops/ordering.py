"""Operations about the order of numbers: sorting, the k largest, quantiles, places in a sorted row.

Where a number goes is constant but for jumps; the number itself comes through. So the adjoint of what is sorted goes
back to where it came from.
"""

import math

import numpy as np

from scratchnet.ops.dtypes import floats, floatx, kept
from scratchnet.ops.elementwise import add, greater, isnan, less, multiply, subtract
from scratchnet.ops.operation import added_into, operation, shape_of
from scratchnet.ops.reductions import sum
from scratchnet.ops.selection import take, take_along_axis, where
from scratchnet.ops.shapes import expand_dims, moveaxis, ravel, reshape, shape
from scratchnet.ops.trial import Unfit


@operation(x=None, dtypes=kept)
def argsort(x, axis=-1):
    """The places that sort x along an axis (flat, if None), equal ones in their order; int32."""
    return np.argsort(x, axis, kind="stable").astype(np.int32)


def _sort_adds(dx, dz, x, axis):
    order = np.argsort(x, axis, kind="stable")
    np.put_along_axis(dx, order, np.take_along_axis(dx, order, axis) + dz, axis)


@operation(name="sort", x=added_into(_sort_adds), dtypes=kept, options=("axis",))
def _sort(x, axis):
    return np.sort(x, axis, kind="stable")


def sort(x, axis=-1):
    """The smallest first, along an axis; all of x, flat, if it is None."""
    return _sort(ravel(x), 0) if axis is None else _sort(x, axis)


@operation(name="top_k_places", x=None, dtypes=kept, options=("k",))
def _top_k_places(x, k):
    if k > x.shape[-1]:
        raise Unfit(f"k={k} of {x.shape[-1]}")
    backwards = np.argsort(x[..., ::-1], -1, kind="stable")[..., ::-1]  # of equal ones the first, nan above all
    return (x.shape[-1] - 1 - backwards[..., :k]).astype(np.int32)


def top_k(x, k, sorted=True):
    """``(values, places)`` of the k largest along the last axis, the largest first (also if it need not be)."""
    places = _top_k_places(x, k)
    return take_along_axis(x, places, -1), places


def in_top_k(targets, predictions, k):
    """Whether the prediction of each target's class is among the k largest; equal ones count all, nan is the least."""
    own = take_along_axis(predictions, expand_dims(targets, -1), -1)
    own = where(isnan(own), -math.inf, own)
    return less(sum(greater(predictions, own), -1), k)


@operation(x=None, dtypes=kept, options=("kth",))
def argpartition(x, kth, axis=-1):
    """Places that bring the kth smallest to its place, the smaller ones before it and the larger ones behind; int32."""
    return np.argpartition(x, kth, axis).astype(np.int32)


# ---- quantiles: between two of the sorted numbers ----


def quantile(x, q, axis=None, method="linear", keepdims=False):
    """The number below which the part `q` (0 to 1, one or several) of x lies, along axes, or in all of x.

    method: between two neighbours "linear", or the "lower", "higher" or "nearest" of them, or their "midpoint". Where q
    are several, their axes are the first of the result. Where one of the numbers is nan, so is the quantile.
    """
    rows, axes = sorted_rows(x, axis, method)
    q, n = np.asarray(q, np.float64), shape_of(rows)[-1]
    is_float = np.dtype(rows.dtype).kind == "f"
    if n is None:
        low, high = (_places(rows, q.tolist(), method, above) for above in (False, True))
        share = _shares(rows, q.tolist(), method)
    else:
        low, high, share = neighbours(q * (n - 1), method)
        share = share.astype(rows.dtype if is_float else floatx())
    z = add(multiply(take(rows, low, -1), subtract(1, share)), multiply(take(rows, high, -1), share))
    if is_float:
        z = where(isnan(take(rows, np.full((1,) * q.ndim, -1), -1)), math.nan, z)  # the last in every order
    return as_quantiles(z, q.ndim, axes, keepdims)


@operation(name="places_of_quantile", x=None, dtypes=kept, options=("q", "method", "above"))
def _places(x, q, method, above):
    """Beside which two of the sorted numbers of each row the quantiles q lie, where nobody knew before how many."""
    return neighbours(np.asarray(q) * (x.shape[-1] - 1), method)[int(above)]


@operation(name="shares_of_quantile", x=None, dtypes=floats, options=("q", "method"))
def _shares(x, q, method):
    """How much the upper one of the two counts."""
    return neighbours(np.asarray(q) * (x.shape[-1] - 1), method)[2].astype(x.dtype)


def sorted_rows(x, axis, method):
    """``(rows, axes)``: x (..., n) sorted, with all that a quantile is of along its last axis."""
    if method not in _METHODS:
        raise ValueError(f"quantile: method={method!r}, expected linear, lower, higher, nearest or midpoint")
    sizes = shape_of(x)
    axes = range(len(sizes)) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = sorted(a % len(sizes) for a in axes)
    kept_axes = [k for k in range(len(sizes)) if k not in axes]
    rows = moveaxis(x, axes, list(range(len(kept_axes), len(sizes)))) if axes else expand_dims(x, -1)
    if len(axes) > 1:
        reduced = [sizes[a] for a in axes]
        newshape = [sizes[k] for k in kept_axes] + [None if None in reduced else math.prod(reduced)]
        if newshape.count(None) > 1:  # no more than one of them can be what is left over
            newshape[:-1] = [shape(x)[k] for k in kept_axes]
        rows = reshape(rows, [-1 if n is None else n for n in newshape])
    return sort(rows, -1), axes


_METHODS = {
    "linear": lambda place: place - np.floor(place),
    "midpoint": lambda place: np.where(np.ceil(place) > np.floor(place), 0.5, 0.0),
    "lower": np.zeros_like,
    "higher": np.ones_like,
    "nearest": lambda place: np.round(place) - np.floor(place),
}


def neighbours(place, method):
    """``(low, high, share)``: the two numbers between which a `place` lies, and how much the upper one counts.

    Where only one of them counts, both are this one, and each is half of it: 0 times infinity would be nan.
    """
    share, low, high = _METHODS[method](place), np.floor(place), np.ceil(place)
    low, high = np.where(share == 1, high, low), np.where(share == 0, low, high)
    return low.astype(np.int32), high.astype(np.int32), np.where(low == high, 0.5, share)


def as_quantiles(z, q_ndim, axes, keepdims):
    """Quantiles, whose last axes are the `q_ndim` of q, in the shape of the result."""
    z = moveaxis(z, list(range(-q_ndim, 0)), list(range(q_ndim))) if q_ndim else z
    return expand_dims(z, [a + q_ndim for a in axes]) if keepdims and axes else z


def percentile(x, q, axis=None, method="linear", keepdims=False):
    """`quantile` with q from 0 to 100."""
    return quantile(x, np.asarray(q, np.float64) / 100, axis, method, keepdims)


def median(x, axis=None, keepdims=False):
    """The number in the middle, of two their mean."""
    return quantile(x, 0.5, axis, keepdims=keepdims)


# ---- places in a sorted row ----


@operation(sorted_sequence=None, values=None)
def searchsorted(sorted_sequence, values, side="left"):
    """Where each value would be put in, before ("left") or behind ("right") equal ones; int32."""
    return np.searchsorted(sorted_sequence, values, side).astype(np.int32)


@operation(x=None, bins=None)
def digitize(x, bins):
    """Between which of the sorted bounds each number lies: 0 below the first; at a bound, above it; int32."""
    return np.digitize(x, bins).astype(np.int32)


@operation(x1=None, x2=None)
def isin(x1, x2, assume_unique=False, invert=False):
    """Whether each element of x1 stands in x2 (or, with `invert`, does not)."""
    return np.isin(x1, x2, assume_unique=assume_unique, invert=invert)
