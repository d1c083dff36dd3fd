"""Operations that make arrays, or an array of another dtype.

Shapes may hold numbers of rows that only a traced batch knows (``ops.zeros((ops.shape(x)[0], 8))``); they are options
of the operation and not operands.
"""

import math

import numpy as np

from scratchnet.ops import dtypes
from scratchnet.ops.dtypes import kept, named
from scratchnet.ops.elementwise import clip
from scratchnet.ops.operation import is_symbolic, operation
from scratchnet.variables import as_array, current_trace


def _shape(shape):
    return tuple(shape) if isinstance(shape, (tuple, list, np.ndarray)) else (shape,)


# ---- of a shape ----


@operation(options=("shape",))
def zeros(shape, dtype=None):
    """Zeros, of floatx by default."""
    return np.zeros(_shape(shape), named(dtype))


@operation(options=("shape",))
def ones(shape, dtype=None):
    """Ones, of floatx by default."""
    return np.ones(_shape(shape), named(dtype))


@operation(options=("shape",), fill_value=None)
def full(shape, fill_value, dtype=None):
    """`fill_value` everywhere, of floatx by default."""
    return np.broadcast_to(fill_value, _shape(shape)).astype(named(dtype))


def empty(shape, dtype=None):
    """`zeros`: what happens to lie in memory would differ from run to run."""
    return zeros(shape, dtype)


@operation(options=("start",))
def arange(start, stop=None, step=None, dtype=None):
    """From `start` (0, where it is the only argument) by `step` up to, without, `stop`; int32 of integers."""
    start, stop = (0, start) if stop is None else (start, stop)
    step = 1 if step is None else step
    return np.arange(start, stop, step, dtype=named(dtype, dtypes.result_type([start, stop, step])))


def _linspace_dstart(dz, num, endpoint, axis):
    share = np.linspace(0, 1, num, endpoint=endpoint, dtype=dz.dtype)
    dz = np.moveaxis(dz, axis, 0)
    return dz * (1 - share).reshape(-1, *(1,) * (dz.ndim - 1))  # z = start (1 - share) + stop share


def _linspace_dstop(dz, num, endpoint, axis):
    share = np.linspace(0, 1, num, endpoint=endpoint, dtype=dz.dtype)
    dz = np.moveaxis(dz, axis, 0)
    return dz * share.reshape(-1, *(1,) * (dz.ndim - 1))


@operation(name="between", start=_linspace_dstart, stop=_linspace_dstop, options=("num",), dtypes=dtypes.floats)
def _between(start, stop, num, endpoint=True, dtype=None, axis=0):
    dtype = named(dtype, start.dtype)
    z = np.linspace(start.astype(np.float64), stop.astype(np.float64), num, endpoint=endpoint, axis=axis)
    return (np.floor(z) if dtype.kind in "iu" else z).astype(dtype)


@operation(
    name="distance",
    start=lambda dz, steps: dz / -steps,
    stop=lambda dz, steps: dz / steps,
    options=("steps",),
    dtypes=dtypes.floats,
)
def _distance(start, stop, steps):
    return (stop - start) / start.dtype.type(steps)


def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """`num` numbers at even distances from `start` to `stop`; with `retstep` ``(numbers, distance)``."""
    z = _between(start, stop, num, endpoint, dtype, axis)
    if not retstep:
        return z
    steps = num - bool(endpoint)
    return z, _distance(start, stop, steps if steps > 0 else math.nan)


@operation(options=("start", "stop"))
def logspace(start, stop, num=50, endpoint=True, base=10, dtype=None, axis=0):
    """`base` to the powers of `linspace`."""
    return np.logspace(start, stop, num, endpoint=endpoint, base=base, axis=axis).astype(named(dtype))


@operation(options=("start", "stop"))
def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    """`num` numbers from `start` to `stop`, each the same multiple of the one before."""
    return np.geomspace(start, stop, num, endpoint=endpoint, axis=axis).astype(named(dtype))


@operation(options=("N",))
def eye(N, M=None, k=0, dtype=None):
    """(N, M), M as N by default, with ones on the diagonal that is k above the main one."""
    return np.eye(N, M, k, dtype=named(dtype))


@operation(options=("N",))
def tri(N, M=None, k=0, dtype=None):
    """(N, M) with ones up to the diagonal that is k above the main one."""
    return np.tri(N, M, k, dtype=named(dtype))


def identity(n, dtype=None):
    """`eye` of n rows."""
    return eye(n, dtype=dtype)


# ---- windows ----


@operation(options=("x",))
def bartlett(x):
    """x numbers that rise evenly from 0 to 1 and fall again."""
    return np.bartlett(x).astype(named(None))


@operation(options=("x",))
def blackman(x):
    """``0.42 - 0.5 cos(t) + 0.08 cos(2 t)`` at x places from 0 to 2 pi."""
    return np.blackman(x).astype(named(None))


@operation(options=("x",))
def hamming(x):
    """``0.54 - 0.46 cos(t)`` at x places from 0 to 2 pi."""
    return np.hamming(x).astype(named(None))


@operation(options=("x",))
def hanning(x):
    """``0.5 - 0.5 cos(t)`` at x places from 0 to 2 pi."""
    return np.hanning(x).astype(named(None))


@operation(options=("x", "beta"))
def kaiser(x, beta):
    """Kaiser's window of x numbers: the larger `beta`, the narrower."""
    return np.kaiser(x, beta).astype(named(None))


# ---- like another array ----


@operation(x=None, dtypes=kept)
def zeros_like(x, dtype=None):
    """Zeros of x's shape, and by default of its dtype."""
    return np.zeros(x.shape, named(dtype, x.dtype))


@operation(x=None, dtypes=kept)
def ones_like(x, dtype=None):
    """Ones of x's shape, and by default of its dtype."""
    return np.ones(x.shape, named(dtype, x.dtype))


@operation(x=None, fill_value=None, dtypes=kept)
def full_like(x, fill_value, dtype=None):
    """`fill_value` everywhere, of x's shape, and by default of its dtype."""
    return np.broadcast_to(fill_value, x.shape).astype(named(dtype, x.dtype))


def empty_like(x, dtype=None):
    """`zeros_like`."""
    return zeros_like(x, dtype)


# ---- another dtype ----


@operation(x=lambda dz: dz, dtypes=kept, options=("dtype",))
def cast(x, dtype):
    """x in another dtype. A float dtype means that of the computation where there is one: see `dtypes`."""
    return x.astype(named(dtype), copy=False)


def _own_dtype(x):
    return np.dtype(x.dtype) if hasattr(x, "dtype") else kept([x])[0].dtype


def in_floats(x):
    """x, and what holds no floats cast to the usual ones."""
    return x if _own_dtype(x).kind == "f" else cast(x, dtypes.floatx())


@operation(name="saturated", x=None, dtypes=kept, options=("dtype",))
def _saturated(x, dtype):
    """x as integers: too small ones the smallest, too large ones the largest, nan 0."""
    bounds = np.iinfo(dtype)
    if x.dtype.kind != "f":
        own = np.iinfo(x.dtype) if x.dtype.kind in "iu" else bounds
        return np.clip(x.astype(dtype) if own is bounds else x, max(own.min, bounds.min), min(own.max, bounds.max))
    largest = x.dtype.type(bounds.max)  # it may be one more: 2^31 as a float32
    full = x >= largest
    z = np.where(full | np.isnan(x), 0, np.maximum(x, bounds.min)).astype(dtype)
    return np.where(full, bounds.max, z)


def saturate_cast(x, dtype):
    """`cast`; what is outside of the numbers of the dtype becomes its smallest or largest."""
    own, wanted = _own_dtype(x), named(dtype)
    if wanted.kind in "iu":
        return cast(_saturated(x, wanted.name), dtype)
    if wanted.kind == "b":
        return cast(clip(x, 0, 1), dtype)
    if own.kind != "f":
        return cast(clip(cast(x, "float32"), np.finfo(wanted).min.item(), np.finfo(wanted).max.item()), dtype)
    narrow = np.finfo(min(own, wanted))
    return cast(clip(x, narrow.min.item(), narrow.max.item()), dtype)


@operation(variable=None, dtypes=kept)
def stop_gradient(variable):
    """The same, as a constant: nothing is differentiated through it."""
    return variable


@operation(x=lambda dz: dz, dtypes=kept)
def copy(x):
    """A copy of its own."""
    return x.copy()


def view(x, dtype=None):
    """The same bytes read as another dtype; on arrays alone."""
    if is_symbolic(x):
        raise TypeError("view reads bytes as something else and has no derivative, so it cannot be traced; see cast")
    return as_array(np.asarray(x) if dtype is None else np.asarray(x).view(named(dtype)))


def convert_to_tensor(x, dtype=None, sparse=None, ragged=None):
    """x as an array, of `dtype` if that is given, and of a weight a copy; symbolic tensors stay what they are.

    Python's floats become floatx and its integers int32, as in Keras; strings stay strings.
    """
    if sparse or ragged:
        raise ValueError("convert_to_tensor: sparse and ragged tensors are not supported; give a dense array")
    if current_trace.get() is None and hasattr(x, "assign"):
        x = np.asarray(x)
    if is_symbolic(x):
        return x if dtype is None else cast(x, dtype)
    if dtype in (None, "string") and np.asarray(x).dtype.kind in "SU":
        return as_array(np.asarray(x))
    [x] = kept([x])
    return as_array(x if dtype is None else x.astype(named(dtype), copy=False))


def array(x, dtype=None):
    """`convert_to_tensor`."""
    return convert_to_tensor(x, dtype)


def convert_to_numpy(x):
    """x as a `numpy.ndarray`, of a variable a copy: training changes that in place.

    A symbolic tensor has no values: it raises its own error.
    """
    return np.array(x) if hasattr(x, "assign") else np.asarray(x)


def is_tensor(x):
    """Whether x is an array or a symbolic tensor, no list or number."""
    return is_symbolic(x) or isinstance(x, np.ndarray)
