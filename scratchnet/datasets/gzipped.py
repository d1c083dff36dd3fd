"""Files that may be gzipped, whatever their names say."""

import gzip
import zlib

MAGIC = b"\x1f\x8b"
DAMAGES = (EOFError, zlib.error, gzip.BadGzipFile)  # what reading a damaged or truncated one raises


def open_any(path):
    """The file opened for reading, through gzip if its content says so."""
    with open(path, "rb") as file:
        gzipped = file.read(2) == MAGIC
    return gzip.open(path, "rb") if gzipped else open(path, "rb")
