"""What every reader of files guarantees: errors name the file, and no more memory is used than the file can fill."""

import contextlib
import os
import stat


@contextlib.contextmanager
def reading(filepath, kind):
    """Open a file, and turn whatever goes wrong in the block into a ValueError that names it.

    Reading a damaged file may raise anything: KeyError, RecursionError, MemoryError, exceptions of the libraries that
    parse it. The caller sees one kind of error.

    Args:
        filepath: the file.
        kind: what it should be, such as "file of scratchnet".

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if it is no regular file, and for all that goes wrong in the block.
    """
    filepath = os.fsdecode(filepath)
    try:
        mode = os.stat(filepath).st_mode
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {filepath}") from None
    if not stat.S_ISREG(mode):
        found = "a folder" if stat.S_ISDIR(mode) else "no regular file (a device, a pipe or a socket)"
        raise ValueError(f"{filepath} is {found}, expected a {kind}")
    with open(filepath, "rb") as file, blaming(filepath, f"is damaged or not a {kind}"):
        yield file


@contextlib.contextmanager
def blaming(filepath, verdict):
    """Turn whatever is raised in the block into a ValueError ``filepath verdict: what was raised``."""
    try:
        yield
    except Exception as problem:
        if isinstance(problem, ValueError) and str(problem).startswith(os.fsdecode(filepath)):
            raise
        told = str(problem) if isinstance(problem, (ValueError, OSError)) else f"{type(problem).__name__}: {problem}"
        raise ValueError(f"{os.fsdecode(filepath)} {verdict}: {told}") from problem


def file_size(file):
    """The size of an open file in bytes."""
    return os.fstat(file.fileno()).st_size
