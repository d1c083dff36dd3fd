"""The idx format of the MNIST files: a big-endian header that names the type and the shape, then the raw values.

    bytes 0-1   0
    byte  2     type of the values; 0x08 is an unsigned byte, the only one MNIST uses
    byte  3     number of axes
    4 bytes     length of each axis, big-endian
    the rest    the values, last axis fastest

Format: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", 1998.
"""

import hashlib
import math

import numpy as np

from scratchnet.datasets import gzipped

UNSIGNED_BYTE = 0x08


def header(shape):
    """The bytes before the values of an idx file of unsigned bytes of this shape."""
    return bytes([0, 0, UNSIGNED_BYTE, len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape)


def read_idx(path, shape, sha256=None):
    """Read a file of unsigned bytes, gzipped or not, which must have exactly this shape.

    Args:
        path: the file. Whether it is gzipped is seen from its content, not from its name.
        shape: the expected shape, which bounds what is read before anything is believed.
        sha256: hex digest of the whole file *after* decompression, so that differently gzipped copies pass; None: any.

    Returns:
        uint8 array of shape ``shape``, writable.

    Raises:
        ValueError: not an idx file, another shape, truncated, damaged, too long or of other content; names the file.
        OSError: the file cannot be opened.
    """
    expected_header = header(shape)
    size = math.prod(shape)
    try:
        with gzipped.open_any(path) as file:
            found_header = file.read(len(expected_header))
            _check_header(path, found_header, expected_header, shape)
            values = file.read(size + 1)  # one more than there may be, to notice a file that is too long
    except gzipped.DAMAGES as error:
        raise ValueError(f"{path}: damaged or truncated gzip file ({error})") from error
    if len(values) != size:
        kind = "truncated" if len(values) < size else "too long"
        raise ValueError(
            f"{path}: {kind}: an idx file of shape {shape} has {size} bytes of values, "
            f"found {len(values) if len(values) < size else 'more'}"
        )
    if sha256 is not None:
        found = hashlib.sha256(expected_header + values).hexdigest()
        if found != sha256:
            raise ValueError(
                f"{path}: the content is not the published one: "
                f"sha256 after decompression is {found}, expected {sha256}"
            )
    return np.frombuffer(values, np.uint8).reshape(shape).copy()  # a copy, because frombuffer's array is read-only


def _check_header(path, found, expected, shape):
    if found[:3] != expected[:3]:
        raise ValueError(
            f"{path}: not an idx file of unsigned bytes: "
            f"it begins with {found[:4].hex(' ') or 'nothing'}, expected {expected[:4].hex(' ')}"
        )
    if found != expected:
        axes = [int.from_bytes(found[i : i + 4], "big") for i in range(4, len(found) - 3, 4)]
        raise ValueError(
            f"{path}: an idx file of {found[3] if len(found) > 3 else 'no'} axes that begin with {axes}, "
            f"expected the shape {shape}"
        )
