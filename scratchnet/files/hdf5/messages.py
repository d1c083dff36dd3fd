"""What the messages of an object header say: shapes, types, attributes."""

import math
import struct

import numpy as np

_MOST_AXES = 32
_FLOATS = {(2, 10): "f2", (2, 7): "bfloat16", (4, 23): "f4", (8, 52): "f8"}  # (bytes, bits of the mantissa)


def shape_of(data):
    version, rank, flags, kind = struct.unpack_from("<BBBB", data)
    if version not in (1, 2) or rank > _MOST_AXES or (version == 2 and kind == 2):
        raise ValueError("an array without a proper shape")
    return struct.unpack_from(f"<{rank}Q", data, 8 if version == 1 else 4)


def type_of(data):
    """A dtype, or ("fixed", bytes) or ("variable", 16) for texts."""
    kind, order, bits, size = data[0] & 15, data[1] & 1, data[1], struct.unpack_from("<I", data, 4)[0]
    if kind == 0 and size in (1, 2, 4, 8):
        return np.dtype(f"{'>' if order else '<'}{'i' if bits & 8 else 'u'}{size}")
    if kind == 1 and (size, data[15]) in _FLOATS and not bits & 64:
        code = _FLOATS[size, data[15]]
        if code == "bfloat16":
            return np.dtype(">u2" if order else "<u2", metadata={"bfloat16": True})
        return np.dtype(f"{'>' if order else '<'}{code}")
    if kind == 3 and size:
        return "fixed", size
    if kind == 9 and bits & 15 == 1 and size == 16:
        return "variable", 16
    if kind == 8:  # names for some values: h5py's truth values
        return type_of(data[8:])
    raise ValueError("an array of something else than numbers and texts")


def attribute(heaps, data):
    """``(name, value)``: a text, list of texts or array; None for the value of another kind."""
    version, flags, *sizes = struct.unpack_from("<BBHHH", data)
    if version not in (1, 2, 3) or (version > 1 and flags):
        raise ValueError("an attribute in a form of the format that is not read")
    at, parts = 9 if version == 3 else 8, []
    for size in sizes:
        parts.append(data[at : at + size])
        at += (size + 7) // 8 * 8 if version == 1 else size
    name = parts[0].split(b"\0")[0].decode()
    try:
        dtype = type_of(parts[1])
    except ValueError:
        return name, None
    shape, itemsize = shape_of(parts[2]), dtype.itemsize if isinstance(dtype, np.dtype) else dtype[1]
    content = data[at : at + math.prod(shape) * itemsize]
    if len(content) != math.prod(shape) * itemsize:
        raise ValueError(f"the attribute {name!r} is cut off")
    if isinstance(dtype, np.dtype):
        return name, np.frombuffer(content, dtype).reshape(shape)
    return name, texts(heaps, dtype, shape, content)


def texts(heaps, dtype, shape, content):
    """A str (of a scalar) or a list of str."""
    kind, size = dtype
    if kind == "fixed":
        found = [content[at : at + size].rstrip(b"\0") for at in range(0, len(content), size)]
    else:
        places = struct.iter_unpack("<IQI", content)
        found = [heaps.text(where, index, length) if length else b"" for length, where, index in places]
    found = [text.decode() for text in found]
    return found if shape else found[0]
