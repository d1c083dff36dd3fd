"""Operations along an axis: each element of the result is made of those before it.

What comes early has a part in all that follows: the adjoints are summed from the end.
"""

import numpy as np

from scratchnet.ops import dtypes
from scratchnet.ops.creation import in_floats
from scratchnet.ops.dtypes import numbers
from scratchnet.ops.elementwise import add, multiply, not_equal, subtract
from scratchnet.ops.operation import operation, shape_of
from scratchnet.ops.reductions import sum
from scratchnet.ops.selection import get_item
from scratchnet.ops.shapes import dtype, ravel


@operation(
    name="cumsum",
    x=lambda dz, axis: np.flip(np.cumsum(np.flip(dz, axis), axis), axis),
    dtypes=numbers,
    options=("axis", "dtype"),
)
def _cumsum(x, axis, dtype):
    return np.cumsum(x, axis, dtype=dtypes.named(dtype, x.dtype))


def cumsum(x, axis=None, dtype=None):
    """The sum of all elements up to each one along an axis; of a flat x without."""
    return _cumsum(ravel(x), 0, dtype) if axis is None else _cumsum(x, axis, dtype)


def _cumprod_dx(dz, x, z, axis):
    """z_t = z_(t-1) x_t, step by step from the end, without a division: x may hold zeros."""
    dz, x, z = (np.moveaxis(a, axis, 0) for a in (dz.copy(), x, z))
    dx = np.empty_like(x)
    for t in range(len(x) - 1, 0, -1):
        dx[t] = dz[t] * z[t - 1]
        dz[t - 1] += dz[t] * x[t]
    dx[:1] = dz[:1]  # z_0 = x_0
    return np.moveaxis(dx, 0, axis)


@operation(name="cumprod", x=_cumprod_dx, dtypes=numbers, options=("axis", "dtype"))
def _cumprod(x, axis, dtype):
    return np.cumprod(x, axis, dtype=dtypes.named(dtype, x.dtype))


def cumprod(x, axis=None, dtype=None):
    """The product of all elements up to each one along an axis; of a flat x without."""
    return _cumprod(ravel(x), 0, dtype) if axis is None else _cumprod(x, axis, dtype)


def diff(a, n=1, axis=-1):
    """What each element is more than the one before it, n times over; of booleans whether it is another."""
    before = (slice(None),) * (axis % len(shape_of(a)))
    difference = not_equal if dtype(a) == "bool" else subtract
    for _ in range(n):
        a = difference(get_item(a, (*before, slice(1, None))), get_item(a, (*before, slice(None, -1))))
    return a


def trapezoid(y, x=None, dx=1.0, axis=-1):
    """The area below y, by straight lines from one to the next: at distances dx, or at the places x."""
    y = in_floats(y)
    before = (slice(None),) * (axis % len(shape_of(y)))
    heights = add(get_item(y, (*before, slice(1, None))), get_item(y, (*before, slice(None, -1))))
    if x is not None:
        dx = diff(x, axis=axis if len(shape_of(x)) > 1 else -1)
        if len(shape_of(x)) == 1:
            dx = get_item(dx, (slice(None),) + (None,) * (len(shape_of(y)) - 1 - axis % len(shape_of(y))))
    return multiply(sum(multiply(heights, dx), axis), 0.5)
