"""Is a file the published one? Told by its length and by a digest of its bytes."""

import hashlib

CHUNK_BYTES = 1 << 20


def digest(path, algorithm="sha256"):
    """Hex digest of a file, read piece by piece."""
    state = hashlib.new(algorithm, usedforsecurity=False)
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            state.update(chunk)
    return state.hexdigest()


def check(path, known_hash, size=None):
    """Refuse a file that is not the published one.

    Args:
        path: pathlib.Path of the file.
        known_hash: its hex sha256, or another digest as ``"md5:..."``.
        size: its length in bytes, compared first; None: not known.

    Raises:
        ValueError: it has another length or digest; names the file.
    """
    found = path.stat().st_size
    if size is not None and found != size:
        raise ValueError(f"{path}: the content is not the published one: {found} bytes, expected {size}")
    algorithm, expected = split(known_hash)
    _compare(path, algorithm, digest(path, algorithm), expected)


def check_bytes(content, place, known_hash):
    """As ``check``, of bytes that come from ``place``."""
    algorithm, expected = split(known_hash)
    _compare(place, algorithm, hashlib.new(algorithm, content, usedforsecurity=False).hexdigest(), expected)


def split(known_hash):
    """Algorithm and hex digest of ``"md5:..."``, or of the digest alone, which is one of sha256."""
    algorithm, _, expected = known_hash.rpartition(":")
    return algorithm or "sha256", expected.lower()


def _compare(place, algorithm, found, expected):
    if found != expected:
        raise ValueError(f"{place}: the content is not the published one: {algorithm} is {found}, expected {expected}")
