"""Arrays from an .npz file, a zip archive of .npy files, each read only as far as it can be right.

An .npy file is a header, which tells shape and type, and then the values; for an array of objects, a pickle of it.
"""

import io
import math

import numpy as np

from scratchnet.datasets import restricted_pickle


def read_npz(path, wanted, most_bytes, most_opcodes=restricted_pickle.MOST):
    """Read the wanted arrays.

    Args:
        path: the file.
        wanted: dict from the names of arrays to their (shape, type): an axis of any length is None; the type is one of
            NumPy's, also an abstract one such as ``np.integer``.
        most_bytes: how many bytes each array may unfold to.
        most_opcodes: of the pickle of an array of objects, see ``restricted_pickle``.

    Returns:
        dict from the names to arrays, writable and in the machine's byte order; an array of type ``np.object_`` as the
        list of its objects.

    Raises:
        ValueError: no such file, damaged, or without these arrays; names the file.
        OSError: the file cannot be opened.
    """
    import zipfile

    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                contents = {name: _unfold(archive, name, most_bytes) for name in wanted}
        except Exception as error:  # a damaged zip file raises errors of zipfile, zlib, struct and others
            raise ValueError(f"{path}: not an .npz file with the arrays {', '.join(wanted)}: {error}") from error
    return {
        name: _read_npy(contents[name], f"{path}: {name}", shape, kind, most_opcodes)
        for name, (shape, kind) in wanted.items()
    }


def read_table(path, features, most_bytes):
    """The arrays x (N, features) and y (N,) of numbers, from an .npz file that holds both; errors as ``read_npz``."""
    wanted = {"x": ((None, features), np.number), "y": ((None,), np.number)}
    x, y = read_npz(path, wanted, most_bytes).values()
    if len(x) != len(y):
        raise ValueError(f"{path}: {len(x)} rows of x, {len(y)} of y")
    return x, y


def _unfold(archive, name, most_bytes):
    with archive.open(f"{name}.npy") as member:
        content = member.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise ValueError(f"{name} unfolds to more than {most_bytes} bytes")
    return content


def _read_npy(content, place, shape, kind, most_opcodes):
    found, dtype, fortran_order, values = _read_header(content, place)
    fits = len(found) == len(shape) and all(n in (None, m) for n, m in zip(shape, found))
    if not (fits and np.issubdtype(dtype, kind)):
        expected = str(shape).replace("None", "N")
        raise ValueError(
            f"{place}: an array of shape {found} and type {dtype}, expected {expected} and {kind.__name__.strip('_')}"
        )
    if kind is np.object_:
        items = restricted_pickle.load_objects(values, place, most_opcodes)
        if len(items) != found[0]:
            raise ValueError(f"{place}: an array of {found[0]} objects that holds {len(items)}")
        return items
    if len(values) != math.prod(found) * dtype.itemsize:
        raise ValueError(f"{place}: an array of shape {found} and type {dtype} in {len(values)} bytes")
    array = np.frombuffer(values, dtype).reshape(found, order="F" if fortran_order else "C")
    return array.astype(dtype.newbyteorder("="))  # a copy that can be written to


def _read_header(content, place):
    """Shape, type and order of an .npy file, and the bytes behind its header."""
    file = io.BytesIO(content)
    try:
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, fortran_order, dtype = read[np.lib.format.read_magic(file)](file)
    except Exception as error:  # the header is a Python literal: a damaged one raises what its parser raises
        raise ValueError(f"{place}: not an .npy file: {error}") from error
    return shape, dtype, fortran_order, content[file.tell() :]
