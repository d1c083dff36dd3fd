"""Reductions that leave out what is nan, as NumPy's: written with other operations.

Where all of what is reduced is nan, the sum is 0, the product 1, and anything else nan.
"""

import functools
import math

import numpy as np

from scratchnet.ops.creation import cast, in_floats, zeros_like
from scratchnet.ops.cumulative import cumprod, cumsum
from scratchnet.ops.dtypes import floatx, kept
from scratchnet.ops.elementwise import add, divide, isnan, logical_not, multiply, sqrt, square, subtract
from scratchnet.ops.operation import operation
from scratchnet.ops.ordering import as_quantiles, neighbours, sorted_rows
from scratchnet.ops.reductions import all, argmax, argmin, max, mean, min, prod, sum, var
from scratchnet.ops.selection import take_along_axis, where
from scratchnet.ops.shapes import dtype as dtype_of
from scratchnet.ops.shapes import expand_dims, squeeze


def _unless_float(function):
    """A decorator: what is no float holds no nan, and is handed to `function`."""

    def decorate(without_nan):
        @functools.wraps(without_nan)
        def of_either(x, *args, **kwargs):
            return (without_nan if np.dtype(dtype_of(x)).kind == "f" else function)(x, *args, **kwargs)

        return of_either

    return decorate


def _filled(x, value):
    return where(isnan(x), value, x)


def _count(x, axis, keepdims=False):
    return cast(sum(logical_not(isnan(x)), axis, keepdims), floatx())


@_unless_float(sum)
def nansum(x, axis=None, keepdims=False):
    """The sum."""
    return sum(_filled(x, 0.0), axis, keepdims)


@_unless_float(prod)
def nanprod(x, axis=None, keepdims=False):
    """The product."""
    return prod(_filled(x, 1.0), axis, keepdims)


@_unless_float(mean)
def nanmean(x, axis=None, keepdims=False):
    """The mean."""
    return cast(divide(nansum(x, axis, keepdims), _count(x, axis, keepdims)), dtype_of(x))


@_unless_float(var)
def nanvar(x, axis=None, keepdims=False):
    """The mean of the squared distances from the mean."""
    centred = where(isnan(x), zeros_like(x), subtract(x, nanmean(x, axis, keepdims=True)))
    return cast(divide(sum(square(centred), axis, keepdims), _count(x, axis, keepdims)), dtype_of(x))


def nanstd(x, axis=None, keepdims=False):
    """The square root of `nanvar`."""
    return sqrt(nanvar(x, axis, keepdims))


@_unless_float(max)
def nanmax(x, axis=None, keepdims=False):
    """The largest."""
    return where(all(isnan(x), axis, keepdims), math.nan, max(_filled(x, -math.inf), axis, keepdims))


@_unless_float(min)
def nanmin(x, axis=None, keepdims=False):
    """The smallest."""
    return where(all(isnan(x), axis, keepdims), math.nan, min(_filled(x, math.inf), axis, keepdims))


@_unless_float(argmax)
def nanargmax(x, axis=None, keepdims=False):
    """The place of the largest; -1 where all are nan."""
    return where(all(isnan(x), axis, keepdims), -1, argmax(_filled(x, -math.inf), axis, keepdims))


@_unless_float(argmin)
def nanargmin(x, axis=None, keepdims=False):
    """The place of the smallest; -1 where all are nan."""
    return where(all(isnan(x), axis, keepdims), -1, argmin(_filled(x, math.inf), axis, keepdims))


def _last(rows):
    """The place of the last number of each row that is not nan."""
    return np.maximum(np.count_nonzero(~np.isnan(rows), -1, keepdims=True) - 1, 0)


@operation(name="places_of_nanquantile", x=None, dtypes=kept, options=("q", "method", "above"))
def _places(x, q, method, above):
    """Beside which two of the sorted numbers of each row (..., n), nan at the end, the quantiles q lie."""
    return neighbours(_last(x) * np.asarray(q), method)[int(above)]


@operation(name="shares_of_nanquantile", x=None, dtypes=kept, options=("q", "method"))
def _shares(x, q, method):
    """How much the upper one of the two counts."""
    return neighbours(_last(x) * np.asarray(q), method)[2].astype(x.dtype)


def nanquantile(x, q, axis=None, method="linear", keepdims=False):
    """`quantile`."""
    rows, axes = sorted_rows(x, axis, method)
    rows = in_floats(rows)
    q = np.asarray(q, np.float64)
    several = np.atleast_1d(q).tolist()
    rows = expand_dims(rows, list(range(-q.ndim, -1))) if q.ndim > 1 else rows
    low, high = (take_along_axis(rows, _places(rows, several, method, above), -1) for above in (False, True))
    share = _shares(rows, several, method)
    z = add(multiply(low, subtract(1.0, share)), multiply(high, share))
    return as_quantiles(z if q.ndim else squeeze(z, -1), q.ndim, axes, keepdims)


def nanpercentile(x, q, axis=None, method="linear", keepdims=False):
    """`percentile`."""
    return nanquantile(x, np.asarray(q, np.float64) / 100, axis, method, keepdims)


def nanmedian(x, axis=None, keepdims=False):
    """`median`."""
    return nanquantile(x, 0.5, axis, keepdims=keepdims)


@_unless_float(cumsum)
def nancumsum(x, axis=None, dtype=None):
    """The sum up to each element."""
    return cumsum(_filled(x, 0.0), axis, dtype)


@_unless_float(cumprod)
def nancumprod(x, axis=None, dtype=None):
    """The product up to each element."""
    return cumprod(_filled(x, 1.0), axis, dtype)
