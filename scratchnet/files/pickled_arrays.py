"""NumPy's arrays, scalars and dtypes as pickles describe them, and the containers of the standard library.

NumPy's own functions are never called: a pickle could tell ``dtype.__setstate__`` that raw bytes are pointers. Here a
stand-in remembers shape, type and bytes, and becomes an array when every number has been checked.
"""

import math

import numpy as np

from scratchnet.files.pickle_machine import Buildable

_NUMBERS = frozenset("b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 c8 c16".split())


class PickledArray(Buildable):
    """Stands for an array: made empty, then given its state."""

    shape = dtype = fortran_order = data = None

    def __init__(self, *_):
        pass

    def set_state(self, state):
        _version, self.shape, self.dtype, self.fortran_order, self.data = state

    def array(self):
        """The array, a copy. Raises ValueError if there is no proper one."""
        if not (isinstance(self.dtype, PickledDtype) and isinstance(self.data, (bytes, str)) and is_shape(self.shape)):
            raise ValueError("a pickled array without a proper shape, type or content")
        data = self.data.encode("latin1") if isinstance(self.data, str) else self.data
        dtype = self.dtype.dtype()
        if len(data) != math.prod(self.shape) * dtype.itemsize:
            raise ValueError(f"a pickled array of shape {self.shape} and type {dtype} in {len(data)} bytes")
        return np.frombuffer(data, dtype).reshape(self.shape, order="F" if self.fortran_order else "C").copy()


class PickledDtype(Buildable):
    """Stands for a dtype: ``dtype("f4", 0, 1)``, then given a state whose second item is the byte order."""

    def __init__(self, code, *_):
        self.code, self.byte_order = code, "="
        if not isinstance(code, str) or code not in _NUMBERS:
            raise ValueError(f"pickled arrays of type {str(code)[:20]!r} are not read, only arrays of numbers")

    def set_state(self, state):
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("|", "<", ">", "="):
            raise ValueError("a pickled dtype without a byte order")
        self.byte_order = state[1]

    def dtype(self):
        return np.dtype(self.byte_order + self.code)


class Record(Buildable):
    """Stands for an object of which nothing is kept."""

    def __init__(self, *_, **__):
        pass


def is_shape(value):
    """Whether `value` is a tuple of sizes, as an array may have them."""
    return isinstance(value, tuple) and len(value) <= 32 and all(_is_size(n) for n in value)


def _is_size(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**48


def _scalar(dtype, data=b"\0" * 16):
    array = PickledArray()
    array.set_state((1, (), dtype, False, data[: dtype.dtype().itemsize]))
    return array.array()


def _encoded(text, encoding="latin1"):
    if not isinstance(text, str) or encoding != "latin1":
        raise ValueError("a pickle that encodes something else than bytes")
    return text.encode("latin1")


def _ordered_dict(pairs=()):
    if not isinstance(pairs, (list, tuple)) or not all(isinstance(p, (list, tuple)) and len(p) == 2 for p in pairs):
        raise ValueError("an invalid pickled OrderedDict")
    if not all(isinstance(key, str) for key, _ in pairs):
        raise ValueError("a pickled OrderedDict with keys that are no texts")
    return dict(pairs)


def _set(items=()):
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ValueError("a pickled set of something else than texts")
    return set(items)


# NumPy moved multiarray with its version 2.0; pickles of both kinds exist.
NAMES = {
    ("numpy.core.multiarray", "_reconstruct"): PickledArray,
    ("numpy._core.multiarray", "_reconstruct"): PickledArray,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("numpy", "ndarray"): "ndarray",  # only ever an argument of _reconstruct
    ("numpy", "dtype"): PickledDtype,
    ("_codecs", "encode"): _encoded,
    ("collections", "OrderedDict"): _ordered_dict,
    ("collections", "defaultdict"): lambda *_: {},
    ("collections", "Counter"): lambda *_: {},
    ("__builtin__", "set"): _set,
    ("builtins", "set"): _set,
    ("argparse", "Namespace"): Record,  # the settings of a training script
}
