"""An unpickler for files from the net: it can build arrays of numbers, lists, tuples, dicts, numbers, bytes and str.

A pickle is a program for a machine with a stack. Three things make it dangerous, and each is met on its own:

- It may look up any name and call it. The data sets here are pickles that need three names of NumPy. These names do
  not reach NumPy at all: they build two stand-ins, which only remember shape, type and content, and which become arrays
  when every number has been checked. (With NumPy's own ``dtype.__setstate__`` a pickle could declare raw bytes to be
  pointers to objects.) No other name is known. Since NumPy's modules are never looked up, it does not matter either
  where a version of NumPy keeps them.
- A byte of it may cost a hundred bytes of memory, or claim gigabytes. So the program is read once before it runs: it
  may hold only the opcodes listed below, none of them reaching beyond the end, and no more than a file of its kind
  needs.
- Some objects are dear to hash: tuples in tuples in tuples overflow the stack of Python itself, and huge integers can
  be chosen to collide. A file needs a handful of either, and gets at most ``FEW``.
"""

import io
import math
import pickle
import re

import numpy as np

# As many as the data has images and texts. Protocols 1 to 4 need no others.
PLENTY_OF = frozenset(
    "PROTO FRAME STOP MARK NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 BINFLOAT "
    "SHORT_BINSTRING BINSTRING SHORT_BINBYTES BINBYTES BINBYTES8 SHORT_BINUNICODE BINUNICODE BINUNICODE8 "
    "EMPTY_LIST APPEND APPENDS EMPTY_DICT SETITEM SETITEMS BINPUT LONG_BINPUT MEMOIZE BINGET LONG_BINGET".split()
)
FEW_OF = frozenset("LONG1 EMPTY_TUPLE TUPLE1 TUPLE2 TUPLE3 TUPLE GLOBAL STACK_GLOBAL REDUCE BUILD".split())
MOST = 100_000
FEW = 1000
LONGEST_NAME = 100

# BININT1, BININT2, BININT and LONG1 of at most four bytes: a run of such numbers is passed over in one go.
_NUMBERS = re.compile(rb"(?:K.|M..|J....|\x8a\x01.|\x8a\x02..|\x8a\x03...|\x8a\x04....){1,1000}", re.DOTALL)


def load(data, name, most=MOST):
    """Unpickle a dict whose values may be arrays.

    Args:
        data: the bytes of the pickle, of protocol 1 to 4; a str of Python 2 becomes bytes.
        name: what to call the data in an error.
        most: how many opcodes it may have; a number or text in a list takes one or two.

    Returns:
        the dict; its arrays are numpy.ndarray (read-only).

    Raises:
        ValueError: the pickle asks for anything that is not allowed, is damaged, or is no dict.
    """

    def finish(value):
        if not isinstance(value, dict):
            raise pickle.UnpicklingError(f"expected a dict, found {type(value).__name__}")
        return {key: item.array() if isinstance(item, _Array) else item for key, item in value.items()}

    return _load(data, name, most, finish)


def load_objects(data, name, most=MOST):
    """Unpickle an array with one axis whose items are objects, such as lists: the same as ``load``, returns a list."""

    def finish(value):
        if not isinstance(value, _Array):
            raise pickle.UnpicklingError(f"expected an array, found {type(value).__name__}")
        return value.objects()

    return _load(data, name, most, finish)


def _load(data, name, most, finish):
    try:
        _check_program(data, most)
        return finish(_RestrictedUnpickler(io.BytesIO(data), encoding="bytes").load())
    except Exception as error:  # a mangled pickle raises whatever the opcodes that it mangles into raise
        raise ValueError(f"{name}: refused or damaged pickle: {error}") from error


def _check_program(data, most):
    """Refuse a program with other opcodes, with too many, or with one that claims more than there is."""
    import pickletools

    known = {op.code.encode("latin-1"): op for op in pickletools.opcodes if op.name in PLENTY_OF | FEW_OF}
    position = count = few = 0
    while True:
        if numbers := _NUMBERS.match(data, position):
            count += (numbers.end() - position) // 2  # at most so many
            position = numbers.end()
        code = data[position : position + 1]
        if code not in known:
            raise pickle.UnpicklingError(f"the opcode {code!r} is not read" if code else "it is truncated")
        opcode = known[code]
        if opcode.name == "STOP":
            return
        count += 1
        few += opcode.name in FEW_OF
        if count > most:
            raise pickle.UnpicklingError(f"it has more than {most} opcodes")
        if few > FEW:
            raise pickle.UnpicklingError(f"it has more than {FEW} tuples, names and huge integers")
        position = min(_end(opcode, data, position + 1, most), len(data))


def _end(opcode, data, start, most):
    """Where the argument of an opcode ends, which begins at ``start``."""
    if opcode.arg is None:
        return start
    if opcode.name == "GLOBAL":  # two lines
        for _ in range(2):
            start = data.find(b"\n", start, start + LONGEST_NAME) + 1
            if start == 0:
                raise pickle.UnpicklingError("it is truncated, or asks for a name without end")
        return start
    if opcode.name == "LONG_BINPUT":
        # The memo is an array with a place for each number up to the largest: a few bytes could claim gigabytes for it.
        place = int.from_bytes(data[start : start + 4], "little")
        if place > most:
            raise pickle.UnpicklingError(f"it asks for place {place} in a memo of at most {most}")
    if opcode.arg.n >= 0:
        return start + opcode.arg.n
    width = int(opcode.arg.name[-1])  # string1, bytes4, ...: how many bytes hold the length of what follows
    return start + width + int.from_bytes(data[start : start + width], "little")


class _RestrictedUnpickler(pickle.Unpickler):
    def find_class(self, module, name):
        try:
            return _NAMES[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"it asks for {module[:LONGEST_NAME]}.{name[:LONGEST_NAME]}; "
                "only arrays, lists, dicts, numbers, bytes and str are read"
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

    def objects(self):
        if not (isinstance(self.dtype, _Dtype) and self.dtype.code in _Dtype.OBJECTS and isinstance(self.data, list)):
            raise pickle.UnpicklingError("an array that is not one of objects")
        if self.shape != (len(self.data),):
            raise pickle.UnpicklingError("an array of objects that does not hold as many as it says")
        return self.data


class _Dtype:
    """Stands for a dtype: ``dtype("u1", 0, 1)``, then given a state whose second item is the byte order."""

    NUMBERS = frozenset(["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"])
    OBJECTS = frozenset(["O", "O8"])  # only as a list
    BYTE_ORDERS = frozenset(["|", "<", ">", "="])

    code = None
    byte_order = "="

    def __init__(self, code, *_):
        self.code = _text(code)
        if self.code not in self.NUMBERS | self.OBJECTS:
            raise pickle.UnpicklingError(f"arrays of type {self.code[:LONGEST_NAME]!r} are not read, only of numbers")

    def __setstate__(self, state):
        self.byte_order = _text(state[1])
        if self.byte_order not in self.BYTE_ORDERS:
            raise pickle.UnpicklingError(f"{self.byte_order[:LONGEST_NAME]!r} is no byte order")

    def dtype(self):
        if self.code not in self.NUMBERS:
            raise pickle.UnpicklingError("an array of objects where one of numbers is expected")
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
