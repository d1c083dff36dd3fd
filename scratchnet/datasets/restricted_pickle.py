"""An unpickler for files from the net: it can build arrays of numbers, lists, tuples, dicts, numbers, bytes and str.

A pickle is a program; the opcode that looks up a name and the one that calls it let it run anything. The CIFAR-10
batches are pickles of 2009 that need three names of NumPy. Here these names do not reach NumPy at all: they build two
stand-ins, which only remember shape, type and bytes, and which become arrays when every number has been checked. (With
NumPy's own ``dtype.__setstate__`` a pickle could declare raw bytes to be pointers to objects.) No other name is known.
Since NumPy's modules are never looked up, it does not matter either where a version of NumPy keeps them.
"""

import io
import math
import pickle

import numpy as np


def load(data, name):
    """Unpickle a dict whose values may be arrays.

    Args:
        data: the bytes of the pickle, any protocol; a str of Python 2 becomes bytes.
        name: what to call the data in an error.

    Returns:
        the dict; its arrays are numpy.ndarray (read-only).

    Raises:
        ValueError: the pickle asks for anything that is not allowed, is damaged, or is no dict.
    """
    try:
        _check_memo(data)
        value = _RestrictedUnpickler(io.BytesIO(data), encoding="bytes").load()
        if not isinstance(value, dict):
            raise pickle.UnpicklingError(f"expected a dict, found {type(value).__name__}")
        return {key: item.array() if isinstance(item, _Array) else item for key, item in value.items()}
    except Exception as error:  # a mangled pickle raises whatever the opcodes that it mangles into raise
        raise ValueError(f"{name}: refused or damaged pickle: {error}") from error


def _check_memo(data):
    """Refuse a place in the memo that no pickle of this length needs: a few bytes could claim gigabytes for it."""
    import pickletools

    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and argument > len(data):
            raise pickle.UnpicklingError(f"{opcode.name} {argument} in {len(data)} bytes")


class _RestrictedUnpickler(pickle.Unpickler):
    def find_class(self, module, name):
        try:
            return _NAMES[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"it asks for {module}.{name}; only arrays, lists, dicts, numbers, bytes and str are read"
            ) from None


class _Array:
    """Stands for an array: made empty by ``_reconstruct(ndarray, (0,), b"b")``, then given its state."""

    shape = dtype = fortran_order = data = None

    def __init__(self, *_):
        pass

    def __setstate__(self, state):
        _version, self.shape, self.dtype, self.fortran_order, self.data = state

    def array(self):
        if not (isinstance(self.dtype, _Dtype) and isinstance(self.data, bytes) and _is_shape(self.shape)):
            raise pickle.UnpicklingError("an array without a proper shape, type or content")
        dtype = self.dtype.dtype()
        if len(self.data) != math.prod(self.shape) * dtype.itemsize:
            raise pickle.UnpicklingError(f"an array of shape {self.shape} and type {dtype} in {len(self.data)} bytes")
        return np.frombuffer(self.data, dtype).reshape(self.shape, order="F" if self.fortran_order else "C")


class _Dtype:
    """Stands for a dtype: ``dtype("u1", 0, 1)``, then given a state whose second item is the byte order."""

    NUMBERS = frozenset(["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"])
    BYTE_ORDERS = frozenset(["|", "<", ">", "="])

    code = None
    byte_order = "="

    def __init__(self, code, *_):
        self.code = _text(code)
        if self.code not in self.NUMBERS:
            raise pickle.UnpicklingError(f"arrays of type {self.code!r} are not read, only arrays of numbers")

    def __setstate__(self, state):
        self.byte_order = _text(state[1])
        if self.byte_order not in self.BYTE_ORDERS:
            raise pickle.UnpicklingError(f"{self.byte_order!r} is no byte order")

    def dtype(self):
        return np.dtype(self.byte_order + self.code)


def _is_shape(value):
    return isinstance(value, tuple) and len(value) <= 32 and all(isinstance(n, int) and 0 <= n < 2**32 for n in value)


def _text(value):
    if isinstance(value, bytes):
        return value.decode("ascii")
    if not isinstance(value, str):
        raise pickle.UnpicklingError(f"expected a str, found {type(value).__name__}")
    return value


# ndarray is only ever an argument of _reconstruct, so it need not be anything that can be called.
# NumPy moved multiarray with its version 2.0; pickles of both kinds exist.
_NAMES = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): _Dtype,
}
