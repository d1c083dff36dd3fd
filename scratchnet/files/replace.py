"""Writing a file all or not at all.

The new content is written to a temporary file in the same folder. When it is complete and on the disk, that file is
renamed: whoever reads, and whoever is killed in between, has the old file or the new one, never a part. If a killed
process leaves a temporary file behind, the next process that writes the same file deletes it.
"""

import contextlib
import io
import itertools
import os
import stat

from scratchnet.parallel.ranks import current_ranks

try:
    import fcntl
except ImportError:  # Windows, where a file that somebody has open cannot be deleted anyway
    fcntl = None

_counter = itertools.count()


@contextlib.contextmanager
def replacing(filepath, overwrite=True):
    """Open a binary file for writing that becomes `filepath` at the end of the block, unless the block fails.

    A link is followed: what it points to is replaced. A file that is replaced keeps its permissions.

    If several ranks write it, only the first does; the others wait until the file is there.

    Raises:
        FileExistsError: if the file exists and `overwrite` is false.
        FileNotFoundError: if there is no such folder.
        OSError: if it cannot be written: a folder, a device or a pipe is in the way, it is write-protected, the disk is
            full. The error names `filepath`.
    """
    if current_ranks().rank == 0:
        with _replacing(os.fsdecode(filepath), overwrite) as file:
            yield file
    else:
        yield io.BytesIO()
    current_ranks().gather("a file", None)


@contextlib.contextmanager
def _replacing(filepath, overwrite):
    path = os.path.realpath(filepath)
    mode = _mode_of_what_is_there(filepath, path, overwrite)
    _clear_away(path)
    temporary = None
    try:
        temporary, handle = _make_temporary(path)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                if mode is not None and hasattr(os, "fchmod"):
                    os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
                if fcntl:  # renamed while it is locked: to the others it is a living process's until it is in its place
                    os.replace(temporary, path)
            if not fcntl:
                os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as problem:
        if problem.filename not in (None, temporary, path):
            raise  # of another file, on which the block stumbled
        raise OSError(problem.errno, problem.strerror or str(problem), filepath) from problem


def _mode_of_what_is_there(filepath, path, overwrite):
    """The permissions of the file that is to be replaced; None if there is none."""
    folder = os.path.dirname(path)
    try:
        there = os.stat(path)
    except FileNotFoundError:
        if not os.path.isdir(folder):
            raise FileNotFoundError(f"cannot write {filepath}: there is no folder {folder}") from None
        return None
    if not stat.S_ISREG(there.st_mode):
        if stat.S_ISDIR(there.st_mode):
            raise IsADirectoryError(f"cannot write {filepath!r}: it is a folder")
        raise OSError(f"cannot write {filepath}: it is no regular file but a device, a pipe or a socket")
    if not overwrite:
        raise FileExistsError(f"{filepath} exists; overwrite=True replaces it")
    if not os.access(path, os.W_OK):
        raise PermissionError(f"cannot write {filepath}: it is write-protected")
    return stat.S_IMODE(there.st_mode) & 0o777


def _make_temporary(path):
    """``(name, handle)`` of a new, locked file beside `path`."""
    while True:
        name = f"{path}.{os.getpid()}-{next(_counter)}.tmp"
        try:
            handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        except FileExistsError:  # of a killed process that had our number, and whose file could not be cleared away
            continue
        if _lock(handle, wait=True) and not os.path.exists(name):
            os.close(handle)  # somebody took it for a dead process's, in the moment before it was locked
            continue
        return name, handle


def _clear_away(path):
    """Delete the temporary files beside `path` whose writers are gone."""
    folder, basename = os.path.split(path)
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            number = name.removeprefix(f"{basename}.").removesuffix(".tmp")
            if name == f"{basename}.{number}.tmp" and number.replace("-", "", 1).isdecimal() and "-" in number:
                with contextlib.suppress(OSError):
                    _delete_unless_locked(os.path.join(folder, name))


def _delete_unless_locked(name):
    if fcntl is None:
        os.unlink(name)
        return
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if _lock(handle):
            os.unlink(name)
    finally:
        os.close(handle)


def _lock(handle, wait=False):
    """Whether the open file could be locked; the lock ends when the file is closed or the process killed."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except (AttributeError, OSError):  # no locks on this system, or it is another's
        return False
    return True
