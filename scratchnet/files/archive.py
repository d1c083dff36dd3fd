"""Files of named arrays and JSON texts, in NumPy's `.npz` format (a zip archive), without pickle.

No code in such a file is ever run. A new file is written under another name and then renamed, so that a crash leaves
the old file whole.
"""

import json
import math
import os

import numpy as np

from scratchnet.files.reading import file_size, reading
from scratchnet.files.replace import replacing
from scratchnet.files.zipped import Members

FORMAT = "scratchnet 1"

_KINDS = "biufcSU"  # numbers and texts; anything else (objects, records) has no business in such a file
_PIECE = 1 << 24


def write_archive(filepath, content, arrays, texts=None, overwrite=True):
    """Write a file.

    Args:
        filepath: where to; its folder must exist.
        content: what kind of file it is, such as "model"; `read_archive` asks for it.
        arrays: dict from name to array.
        texts: dict from name to JSON-able value.

    Raises what `scratchnet.files.replace.replacing` raises.
    """
    import zipfile  # here, because most programs save nothing: it takes longer to import than a dozen layers

    texts = {"header": {"format": FORMAT, "content": content}, **(texts or {})}
    with replacing(filepath, overwrite) as file, zipfile.ZipFile(file, "w") as archive:
        for name, value in texts.items():
            archive.writestr(f"{name}.json", json.dumps(value, indent=1))
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asarray(array), allow_pickle=False)


def read_archive(filepath, *contents, texts=(), prefixes=("",)):
    """``(arrays, texts)`` of a file; only what is asked for is read.

    Args:
        filepath: the file.
        contents: what it may be, such as "model".
        texts: the names of the texts to read, if they are there.
        prefixes: only arrays whose names begin with one of these are read.

    Raises FileNotFoundError if there is none, ValueError if it is damaged, foreign, or of another kind.
    """
    filepath = os.fsdecode(filepath)
    with reading(filepath, "file of scratchnet") as file:
        members = Members(file, file_size(file))
        header = members.read_json("header.json") if "header.json" in members.sizes else None
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            raise ValueError(f"{filepath} is not a file of scratchnet: it has no header of the format {FORMAT!r}")
        if header.get("content") not in contents:
            raise ValueError(f"{filepath} holds a {header.get('content')}, expected a {' or '.join(contents)}")
        found = {name: members.read_json(f"{name}.json") for name in texts if f"{name}.json" in members.sizes}
        arrays = {}
        for name, size in members.sizes.items():
            if name.endswith(".npy") and name.startswith(tuple(prefixes)):
                with members.open(name) as entry:
                    arrays[name.removesuffix(".npy")] = _read_array(entry, size, name)
    return arrays, found


def _read_array(entry, size, name):
    """The array of an `.npy` member of `size` bytes, which must be just as long as its header says."""
    version = np.lib.format.read_magic(entry)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"{name!r} is of version {version} of NumPy's format")
    shape, fortran_order, dtype = readers[version](entry)
    if dtype.kind not in _KINDS or dtype.itemsize == 0:
        raise ValueError(f"{name!r} holds {dtype}, no numbers")
    length = size - entry.tell()
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != length:
        raise ValueError(f"{name!r} says shape {shape} of {dtype} and has {length} bytes")
    array = np.empty(shape[::-1] if fortran_order else shape, dtype)
    content = array.reshape(-1).view(np.uint8)
    for at in range(0, length, _PIECE):
        piece = entry.read(min(_PIECE, length - at))
        content[at : at + len(piece)] = np.frombuffer(piece, np.uint8)
        if len(piece) < min(_PIECE, length - at):
            raise ValueError(f"{name!r} ends early")
    return array.T if fortran_order else array
