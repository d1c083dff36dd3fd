"""Operations about the order of numbers: sorting, the k largest, quantiles, places in a sorted row.

Where a number goes is constant but for jumps; the number itself comes through. So the adjoint of what is sorted goes
back to where it came from.
"""

import math

import numpy as np

from scratchnet.ops.dtypes import floatx, kept
from scratchnet.ops.elementwise import add, greater_equal, isnan, multiply
from scratchnet.ops.operation import added_into, operation, shape_of
from scratchnet.ops.selection import get_item, take, take_along_axis, where
from scratchnet.ops.shapes import expand_dims, moveaxis, ravel, reshape, squeeze
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
    return np.argsort(-x, -1, kind="stable")[..., :k].astype(np.int32)  # of equal ones the first


def top_k(x, k, sorted=True):
    """``(values, places)`` of the k largest along the last axis, the largest first (also if it need not be)."""
    places = _top_k_places(x, k)
    return take_along_axis(x, places, -1), places


def in_top_k(targets, predictions, k):
    """Whether the prediction of each target's class is among the k largest; equal ones count all."""
    own = take_along_axis(predictions, expand_dims(targets, -1), -1)
    kth = get_item(take_along_axis(predictions, _top_k_places(predictions, k), -1), (Ellipsis, slice(k - 1, k)))
    return squeeze(greater_equal(own, kth), -1)


@operation(x=None, dtypes=kept, options=("kth",))
def argpartition(x, kth, axis=-1):
    """Places that bring the kth smallest to its place, the smaller ones before it and the larger ones behind; int32."""
    return np.argpartition(x, kth, axis).astype(np.int32)


# ---- quantiles: between two of the sorted numbers ----


def quantile(x, q, axis=None, method="linear", keepdims=False):
    """The number below which the part `q` (0 to 1, one or several) of x lies, along axes, or in all of x.

    method: between two neighbours "linear", or the "lower", "higher" or "nearest" of them, or their "midpoint". Where q
    are several, they are the first axis of the result. Where one of the numbers is nan, so is the quantile.
    """
    rows, axes = sorted_rows(x, axis, method)
    place = np.reshape(np.asarray(q, np.float64), -1) * (shape_of(rows)[-1] - 1)
    is_float = np.dtype(rows.dtype).kind == "f"
    low, high, share = neighbours(place, method)
    share = share.astype(rows.dtype if is_float else floatx())
    low, high = take(rows, low, -1), take(rows, high, -1)
    z = add(multiply(low, 1 - share), multiply(high, share))
    if is_float:
        z = where(isnan(take(rows, [-1], -1)), math.nan, z)  # the last in every order
    return as_quantiles(z, q, axes, keepdims)


def sorted_rows(x, axis, method):
    """``(rows, axes)``: x (..., n) sorted, with all that a quantile is of along its last axis."""
    if method not in _METHODS:
        raise ValueError(f"quantile: method={method!r}, expected linear, lower, higher, nearest or midpoint")
    shape = shape_of(x)
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = sorted(a % len(shape) for a in axes)
    kept_axes = [k for k in range(len(shape)) if k not in axes]
    n = math.prod(shape[a] for a in axes)
    rows = moveaxis(x, axes, list(range(len(kept_axes), len(shape)))) if axes else expand_dims(x, -1)
    return sort(reshape(rows, [-1 if shape[k] is None else shape[k] for k in kept_axes] + [n]), -1), axes


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


def as_quantiles(z, q, axes, keepdims):
    """Quantiles (..., q) in the shape of the result."""
    z = moveaxis(z, -1, 0) if np.ndim(q) else squeeze(z, -1)
    return expand_dims(z, [a + np.ndim(q) for a in axes]) if keepdims and axes else z


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
