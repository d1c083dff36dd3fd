"""An unpickler for files from the net: it can build arrays of numbers, lists, tuples, dicts, numbers, bytes and str.

A pickle is a program; the opcode that looks up a name and the one that calls it let it run anything. The CIFAR-10
batches are pickles of 2009 that need three names of NumPy. Here these names do not reach NumPy at all: they build two
stand-ins, which only remember shape, type and bytes, and which become arrays when every number has been checked. (With
NumPy's own ``dtype.__setstate__`` a pickle could declare raw bytes to be pointers to objects.) No other name is known.
Since NumPy's modules are never looked up, it does not matter either where a version of NumPy keeps them.
"""

import math
import pickle

import numpy as np


def load(data, name):
    """Unpickle a dict whose values may be arrays.

    Args:
        data: the bytes of the pickle, any protocol; str of Python 2 becomes bytes.
        name: what to call the data in an error.

    Returns:
        the dict; its arrays are numpy.ndarray.

    Raises:
        ValueError: the pickle wants anything that is not allowed, is damaged, or is no dict.
    """
    try:
        value = _Unpickler(data).load()
    except Exception as error:  # a damaged pickle can raise whatever the objects that it mangles raise
        raise ValueError(f"{name}: refused or damaged pickle: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{name}: expected a pickled dict, found {type(value).__name__}")
    return {key: item.array(name) if isinstance(item, _Array) else item for key, item in value.items()}


class _Array:
    """Stands for an array: built empty by ``_reconstruct(ndarray, (0,), b"b")``, then given its state."""

    __slots__ = ("shape", "dtype", "fortran_order", "data")

    def __init__(self, *args):
        self.data = None

    def __setstate__(self, state):
        _version, self.shape, self.dtype, self.fortran_order, self.data = state

    def array(self, name):
        if not (isinstance(self.data, bytes) and isinstance(self.dtype, _Dtype) and _is_shape(self.shape)):
            raise ValueError(f"{name}: a pickled array without a proper shape, type or content")
        dtype = self.dtype.dtype()
        expected = math.prod(self.shape) * dtype.itemsize
        if len(self.data) != expected:
            raise ValueError(f"{name}: a pickled array of shape {self.shape} and type {dtype} has {expected} bytes, "
                             f"found {len(self.data)}")
        order = "F" if self.fortran_order else "C"
        return np.frombuffer(self.data, dtype).reshape(self.shape, order=order)


class _Dtype:
    """Stands for a dtype: ``dtype("u1", 0, 1)``, then given a state whose second item is the byte order."""

    __slots__ = ("code", "byte_order")

    _NUMBERS = frozenset(["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"])

    def __init__(self, code, *args):
        self.code = code.decode("ascii") if isinstance(code, bytes) else code
        self.byte_order = "|"
        if self.code not in self._NUMBERS:
            raise pickle.UnpicklingError(f"arrays of type {self.code!r} are not allowed, only of numbers")

    def __setstate__(self, state):
        order = state[1]
        self.byte_order = order.decode("ascii") if isinstance(order, bytes) else order
        if self.byte_order not in ("|", "<", ">", "="):
            raise pickle.UnpicklingError(f"{self.byte_order!r} is no byte order")

    def dtype(self):
        return np.dtype(self.byte_order + self.code)


class _Unpickler:
    """Runs a pickle with only the names of ``_NAMES``."""

    # ndarray is only ever an argument of _reconstruct, so it need not be anything that can be called.
    # Both homes of multiarray: before NumPy 2 and since.
    _NAMES = {
        ("numpy.core.multiarray", "_reconstruct"): _Array,
        ("numpy._core.multiarray", "_reconstruct"): _Array,
        ("numpy", "ndarray"): "ndarray",
        ("numpy", "dtype"): _Dtype,
    }
