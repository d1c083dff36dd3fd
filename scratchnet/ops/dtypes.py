"""Which dtype an operation computes in: Keras's rules, without its surprises.

* Arrays promote each other: bool < integers < floats. An integer never widens a float: int64 with float32 is float32.
* Python numbers, lists of them and NumPy's scalars (``np.float64(2)``) promote no array: they take its dtype, and only
  a float among integers, or an integer among booleans, changes the kind of the result.
* What comes out as a float from integers alone (``ints / 2``, ``mean(ints)``, ``exp(2)``) is of `floatx`.

Within `computing_in`, which the walk through a graph opens, there is one float dtype: every float takes it, and naming
another one (``cast(x, "float32")`` in a layer that is proved in float64) means this one.
"""

import contextlib
import contextvars

import numpy as np

from scratchnet import config

_float_dtype = contextvars.ContextVar("scratchnet_float_dtype", default=None)
_PYTHON_NAMES = {"float": None, "int": "int32", "bool": "bool"}  # None: floatx


@contextlib.contextmanager
def computing_in(dtype):
    """Inside, every float is of `dtype`, "float32" or "float64"."""
    token = _float_dtype.set(np.dtype(config.check_float_dtype(dtype)))
    try:
        yield
    finally:
        _float_dtype.reset(token)


def floatx():
    """The dtype of floats that nothing else determines, a `numpy.dtype`."""
    return _float_dtype.get() or np.dtype(config.floatx())


def named(dtype, default=None):
    """The `numpy.dtype` that a ``dtype=`` argument means: a name, a type, anything with a name; None is `default`.

    Raises ValueError for what is no dtype here (bfloat16, strings).
    """
    if dtype is None:
        return floatx() if default is None else np.dtype(default)
    name = getattr(dtype, "__name__", None) or getattr(dtype, "name", None) or str(dtype)
    if name in _PYTHON_NAMES:
        return floatx() if _PYTHON_NAMES[name] is None else np.dtype(_PYTHON_NAMES[name])
    try:
        dtype = np.dtype(name)
    except TypeError:
        dtype = None
    if dtype is None or dtype.kind not in "biuf":
        raise ValueError(f"dtype {name!r} is not supported: expected bool, an integer or a float dtype of NumPy")
    return _in_context(dtype)


def _in_context(dtype):
    return (_float_dtype.get() or dtype) if dtype.kind == "f" else dtype


def _join(dtypes):
    """The dtype of arrays of these dtypes together."""
    if len(dtypes) == 1:
        return next(iter(dtypes))
    floats = [dtype for dtype in dtypes if dtype.kind == "f"]
    joined = np.result_type(*(floats or dtypes))
    return floatx() if joined.kind == "f" and not floats else joined  # NumPy makes floats of uint64 with int64


def _dtype_of(a):
    """``(dtype, weight)``: the weight is 2 for an array, 1 for a NumPy scalar, 0 for numbers of Python."""
    if isinstance(a, np.ndarray):
        return a.dtype, 2
    if isinstance(a, np.generic):
        return a.dtype, 1
    dtype, first = np.asarray(a).dtype, a
    if dtype.kind not in "biuf":
        raise TypeError(f"expected numbers or arrays of numbers, got {a!r}")
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    if isinstance(first, (np.ndarray, np.generic)):
        return dtype, 2
    if dtype.kind == "f":
        return floatx(), 0
    fits = dtype.kind == "b" or np.can_cast(np.min_scalar_type(np.max(np.abs(a), initial=0)), np.int32)
    return (np.dtype("int32") if dtype.kind != "b" and fits else dtype), 0


def result_type(operands):
    """The dtype in which these arrays and numbers are computed with."""
    kinds = [_dtype_of(a) for a in operands]
    weight = max(weight for _, weight in kinds)
    dtype = _join({dtype for dtype, own in kinds if own == weight})
    for weak, own in kinds:
        if own == weight:
            continue
        if weak.kind == "f" and dtype.kind != "f":
            dtype = floatx()
        elif weak.kind in "iu" and dtype.kind == "b":
            dtype = np.dtype("int32")
    return _in_context(dtype)


def _common_float(operands):
    """The dtype of float arrays that have all the same, the one of the context, and of numbers among them; else None.

    This is nearly always so, and many times quicker to find than `result_type`.
    """
    dtype = None
    for a in operands:
        if isinstance(a, np.ndarray):
            if a.dtype is not dtype and dtype is not None and a.dtype != dtype:
                return None
            dtype = a.dtype
        elif type(a) is not float and type(a) is not int:
            return None
    return dtype if dtype is not None and dtype.kind == "f" and dtype == _in_context(dtype) else None


# ---- what an operation does with its operands before it computes ----


def promoted(operands):
    """All in one dtype."""
    dtype = _common_float(operands) or (result_type(operands) if operands else None)
    return [a if type(a) is np.ndarray and a.dtype is dtype else np.asarray(a, dtype) for a in operands]


def floats(operands):
    """All in one float dtype."""
    dtype = _common_float(operands) or result_type(operands)
    if dtype.kind != "f":
        dtype = floatx()
    return [np.asarray(a, dtype) for a in operands]


def kept(operands):
    """Each in its own dtype."""
    return [np.asarray(a, _common_float((a,)) or result_type((a,))) for a in operands]


def booleans(operands):
    """Each as booleans: whether it is not 0."""
    return [np.asarray(a, bool) for a in operands]


def numbers(operands):
    """All in one dtype, booleans as int32."""
    return [a.astype(np.int32) if a.dtype == bool else a for a in promoted(operands)]


def counted(operands):
    """All in one dtype that sums do not overflow so soon: at least 32 bits, booleans as int32."""
    operands = promoted(operands)
    dtype = operands[0].dtype
    if dtype.kind == "f" or dtype.itemsize >= 4:
        return operands
    return [a.astype(np.uint32 if dtype.kind == "u" else np.int32) for a in operands]
