"""Operations that reduce axes: `axis` None (all), a number or several; with `keepdims` they stay, of size 1.

The adjoint of a sum is a copy to everything that was summed, and so are, with weights, those of the other reductions.
`_spread` puts the reduced axes back into dz, so that it broadcasts against x.

`var`, `std`, `logsumexp` are written with these operations and have no derivative of their own.
"""

import math

import numpy as np

from scratchnet.ops import dtypes
from scratchnet.ops.creation import in_floats, ones_like
from scratchnet.ops.dtypes import booleans, counted, floats, kept
from scratchnet.ops.elementwise import (
    add,
    divide,
    exp,
    isclose,
    log,
    multiply,
    sqrt,
    square,
    subtract,
)
from scratchnet.ops.operation import operation, shape_of
from scratchnet.ops.shapes import reshape, squeeze


def _axes(axis, ndim):
    """The reduced axes as a tuple of numbers from 0 on."""
    axis = range(ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    return tuple(a % ndim if ndim else a for a in axis)


def _axis(axis):
    """`axis` as NumPy takes it: lists, which files hold, are no axes there."""
    return tuple(axis) if isinstance(axis, list) else axis


def _spread(a, shape, axis, keepdims):
    """`a`, a result or its adjoint, with the reduced axes of `shape` as axes of size 1."""
    if keepdims:
        return a
    axes = _axes(axis, len(shape))
    return a.reshape([1 if k in axes else n for k, n in enumerate(shape)])


def _count(shape, axis):
    return np.prod([shape[k] for k in _axes(axis, len(shape))], dtype=np.int64)


def _sum_dx(dz, x_shape, axis, keepdims):
    return np.broadcast_to(_spread(dz, x_shape, axis, keepdims), x_shape)


def _mean_dx(dz, x_shape, axis, keepdims):
    return np.broadcast_to(_spread(dz, x_shape, axis, keepdims) / dz.dtype.type(_count(x_shape, axis)), x_shape)


def _extreme_dx(dz, x, z, axis, keepdims):
    """All that are equal to the largest (or smallest) share its adjoint evenly."""
    chosen = x == _spread(z, x.shape, axis, keepdims)
    count = chosen.sum(axis=_axes(axis, x.ndim), keepdims=True, dtype=dz.dtype)
    return _spread(dz, x.shape, axis, keepdims) / np.maximum(count, 1) * chosen  # none, if `initial` was larger


def _prod_dx(dz, x, axis, keepdims):
    """dz times the product of all the *others*, without a division: x may hold zeros."""
    axes = _axes(axis, x.ndim)
    last = tuple(range(x.ndim - len(axes), x.ndim))
    moved = np.moveaxis(x, axes, last)
    rows = moved.reshape(*moved.shape[: x.ndim - len(axes)], -1)
    ones = np.ones_like(rows[..., :1])
    before = np.cumprod(np.concatenate([ones, rows[..., :-1]], axis=-1), axis=-1)
    after = np.cumprod(np.concatenate([ones, rows[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    others = np.moveaxis((before * after).reshape(moved.shape), last, axes)
    return _spread(dz, x.shape, axis, keepdims) * others


@operation(x=_sum_dx, dtypes=counted, reduction="sum")
def sum(x, axis=None, keepdims=False):
    """The sum."""
    return x.sum(axis=_axis(axis), keepdims=keepdims, dtype=x.dtype)


@operation(x=_mean_dx, dtypes=floats, reduction="mean")
def mean(x, axis=None, keepdims=False):
    """The sum divided by the count."""
    return x.mean(axis=_axis(axis), keepdims=keepdims)


@operation(x=_extreme_dx, dtypes=kept, reduction="max")
def max(x, axis=None, keepdims=False, initial=None):
    """The largest element; at least `initial`, if that is given."""
    return x.max(axis=_axis(axis), keepdims=keepdims, **_given(initial, x.dtype))


@operation(x=_extreme_dx, dtypes=kept, reduction="min")
def min(x, axis=None, keepdims=False, initial=None):
    """The smallest element; at most `initial`, if that is given."""
    return x.min(axis=_axis(axis), keepdims=keepdims, **_given(initial, x.dtype))


def _given(initial, dtype):
    return {} if initial is None else {"initial": dtype.type(initial)}


def amax(x, axis=None, keepdims=False):
    """`max`."""
    return max(x, axis, keepdims)


def amin(x, axis=None, keepdims=False):
    """`min`."""
    return min(x, axis, keepdims)


@operation(x=_prod_dx, dtypes=counted, reduction="prod")
def prod(x, axis=None, keepdims=False, dtype=None):
    """The product."""
    return x.prod(axis=_axis(axis), keepdims=keepdims, dtype=dtypes.named(dtype, x.dtype))


@operation(x=None, dtypes=booleans, reduction="all")
def all(x, axis=None, keepdims=False):
    """Whether all are true."""
    return x.all(axis=_axis(axis), keepdims=keepdims)


@operation(x=None, dtypes=booleans, reduction="any")
def any(x, axis=None, keepdims=False):
    """Whether one is true."""
    return x.any(axis=_axis(axis), keepdims=keepdims)


@operation(x=None, dtypes=kept, reduction="count_nonzero")
def count_nonzero(x, axis=None):
    """How many are not 0, int32."""
    return np.asarray(np.count_nonzero(x, axis=_axis(axis)), np.int32)


@operation(x=None, dtypes=kept, reduction="argmax")
def argmax(x, axis=None, keepdims=False):
    """The place of the largest (of the first of them) along one axis, or in all of x; int32."""
    return x.argmax(axis=axis, keepdims=keepdims).astype(np.int32)


@operation(x=None, dtypes=kept, reduction="argmin")
def argmin(x, axis=None, keepdims=False):
    """The place of the smallest (of the first of them) along one axis, or in all of x; int32."""
    return x.argmin(axis=axis, keepdims=keepdims).astype(np.int32)


# ---- written with the operations above ----


def var(x, axis=None, keepdims=False):
    """The mean of the squared distances from the mean."""
    return mean(square(subtract(x, mean(x, axis, keepdims=True))), axis, keepdims)


def std(x, axis=None, keepdims=False):
    """The square root of `var`."""
    return sqrt(var(x, axis, keepdims))


def ptp(x, axis=None, keepdims=False):
    """The largest less the smallest."""
    return subtract(max(x, axis, keepdims), min(x, axis, keepdims))


def average(x, axis=None, weights=None):
    """The mean, each element counted with its weight; weights of one axis belong to `axis`."""
    if weights is None:
        return mean(x, axis)
    x_shape, shape = shape_of(x), shape_of(weights)
    if len(shape) == 1 and len(x_shape) > 1:
        if axis is None:
            raise ValueError(f"average: weights of shape {shape} for x of shape {x_shape} need an axis")
        weights = reshape(weights, [-1 if k == axis % len(x_shape) else 1 for k in range(len(x_shape))])
    weights = multiply(weights, ones_like(x))
    return divide(sum(multiply(x, weights), axis), sum(weights, axis))


@operation(name="finite_or_zero", x=None, dtypes=floats)
def _finite_or_zero(x):
    return np.where(np.isfinite(x), x, x.dtype.type(0))


def logsumexp(x, axis=None, keepdims=False):
    """``log(sum(exp(x)))``, safe from overflow: the largest is taken out first, which changes nothing but rounding."""
    x = in_floats(x)
    largest = max(x, axis, keepdims=True, initial=-math.inf)  # of nothing, whose sum is 0
    largest = _finite_or_zero(largest)  # from an infinity nothing can be taken away
    shifted = log(sum(exp(subtract(x, largest)), axis, keepdims=True))
    z = add(shifted, largest)
    return z if keepdims else squeeze(z, _axes(axis, len(shape_of(x))))


def allclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether all elements are close to each other: see `isclose`."""
    return all(isclose(x1, x2, rtol, atol, equal_nan))
