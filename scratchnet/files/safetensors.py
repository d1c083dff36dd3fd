"""The safetensors format: a length, a table of contents in JSON, and the numbers.

    uint64, little-endian: length of the table
    the table: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ..., "__metadata__": {...}}
    the arrays one behind the other, little-endian, last axis fastest

Nothing in it can be run, and where an array lies is known before anything is read. The format is described at
https://github.com/huggingface/safetensors.
"""

import json
import math
import os

import numpy as np

from scratchnet.files.bfloat16 import from_bfloat16
from scratchnet.files.reading import blaming, file_size, reading
from scratchnet.files.replace import replacing

_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "C64": "<c8", "C128": "<c16",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
_NAMES = {np.dtype(code): name for name, code in _DTYPES.items() if name != "BF16"}
INDEX = ".safetensors.index.json"  # how the name of the table of several files ends
_LONGEST_TABLE = 100 << 20  # as in the reference implementation


def read_safetensors(filepath):
    """The arrays of a `.safetensors` file: dict from name to array, in the file's order. bfloat16 becomes float32.

    Of a `.safetensors.index.json`, which says in which of the files beside it each array is, those of all these files.

    Raises FileNotFoundError if there is no such file, ValueError if it is damaged or none of that format.
    """
    if os.fsdecode(filepath).endswith(INDEX):
        return _read_shards(filepath)
    with reading(filepath, "safetensors file") as file:
        size = file_size(file)
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(size - 8, _LONGEST_TABLE):
            raise ValueError(f"its table of contents would have {length} bytes, the file has {size}")
        table = json.loads(file.read(length), object_pairs_hook=_without_doubles)
        if not isinstance(table, dict):
            raise ValueError("its table of contents is no table")
        table.pop("__metadata__", None)
        _check_layout(table, size - 8 - length)
        arrays = {}
        for name, entry in table.items():
            begin, end = entry["data_offsets"]
            file.seek(8 + length + begin)
            array = np.frombuffer(bytearray(file.read(end - begin)), _DTYPES[entry["dtype"]]).reshape(entry["shape"])
            arrays[name] = from_bfloat16(array) if entry["dtype"] == "BF16" else array
        return arrays


def _read_shards(filepath):
    with reading(filepath, "table of safetensors files") as file:
        if file_size(file) > _LONGEST_TABLE:
            raise ValueError("it is too long for a table")
        places = json.loads(file.read())["weight_map"]
        wrong = [
            name for name in places.values() if name != os.path.basename(name) or not name.endswith(".safetensors")
        ]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no file beside it")
    arrays, folder = {}, os.path.dirname(os.fsdecode(filepath))
    for shard in dict.fromkeys(places.values()):
        with blaming(filepath, "names a file that cannot be read"):
            found = read_safetensors(os.path.join(folder, shard))
        arrays.update((name, array) for name, array in found.items() if places.get(name) == shard)
    missing = [name for name in places if name not in arrays]
    if missing:
        raise ValueError(f"{os.fsdecode(filepath)}: {missing[0]!r} is not in {places[missing[0]]}")
    return arrays


def write_safetensors(filepath, arrays, metadata=None, overwrite=True):
    """Write arrays in the safetensors format.

    Args:
        filepath: where to.
        arrays: dict from name to array.
        metadata: dict of texts, kept beside the arrays.
        overwrite: whether an existing file is replaced.

    Raises:
        TypeError: for a name or metadata that is no text, and for a dtype that the format does not have.
        OSError: if the file cannot be written; FileExistsError if it exists and `overwrite` is false.
    """
    for text in (*arrays, *(metadata or {}), *(metadata or {}).values()):
        if not isinstance(text, str):
            raise TypeError(f"write_safetensors: names and metadata must be str, got {text!r}")
    if "__metadata__" in arrays:
        raise TypeError("write_safetensors: no array can be named '__metadata__'")
    table, contents, at = {}, [], 0
    if metadata:
        table["__metadata__"] = dict(metadata)
    for name, array in arrays.items():
        array = np.asarray(array)
        little = array.dtype.newbyteorder("<")
        if little not in _NAMES:
            raise TypeError(f"write_safetensors: {name!r} is of dtype {array.dtype}, which the format does not have")
        offsets = [at, at + array.nbytes]
        table[name] = {"dtype": _NAMES[little], "shape": list(array.shape), "data_offsets": offsets}
        contents.append(array.astype(little, copy=False))
        at = offsets[1]
    text = json.dumps(table, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that the numbers begin at a multiple of 8
    with replacing(filepath, overwrite) as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in contents:
            file.write(array.tobytes())


def _without_doubles(pairs):
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("its table of contents has a name twice")
    return table


def _check_layout(table, length):
    """Raise ValueError unless the arrays fill `length` bytes, without holes, and each has the bytes that it needs."""
    for name, entry in table.items():
        if not isinstance(entry, dict) or not {"dtype", "shape", "data_offsets"} <= entry.keys():
            raise ValueError(f"{name[:100]!r} has no dtype, shape or place")
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if dtype not in _DTYPES:
            raise ValueError(f"{name[:100]!r} is of dtype {str(dtype)[:20]!r}; read are {', '.join(_DTYPES)}")
        if not (_are_sizes(shape) and len(shape) <= 32 and _are_sizes(offsets) and len(offsets) == 2):
            raise ValueError(f"{name[:100]!r} has shape {str(shape)[:100]} at {str(offsets)[:100]}")
        if offsets[1] - offsets[0] != math.prod(shape) * np.dtype(_DTYPES[dtype]).itemsize:
            raise ValueError(f"{name[:100]!r} of shape {shape} and dtype {dtype} has {offsets[1] - offsets[0]} bytes")
    at = 0
    for begin, end in sorted(entry["data_offsets"] for entry in table.values()):
        if begin != at:
            raise ValueError(f"its arrays overlap or leave a hole at byte {at}")
        at = end
    if at != length:
        raise ValueError(f"its arrays have {at} bytes, the file has {length} for them")


def _are_sizes(values):
    return isinstance(values, list) and all(type(value) is int and 0 <= value < 2**48 for value in values)
