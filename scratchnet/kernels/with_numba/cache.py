"""Where compiled kernels are kept, so that only the first process compiles them.

They lie in the user's cache folder (`scratchnet.cache`, or ``$NUMBA_CACHE_DIR`` if that is set), never beside the
package. The folder's name holds a hash of the sources: a change in one file may change what others compile to, and then
everything is compiled anew. Older folders are removed.

A cache never stands in the way. Where no folder can be made, the disk is full, or a file is damaged (each begins with
the hash of its content), kernels are compiled in memory, as if there were none.
"""

import contextlib
import hashlib
import os
import pickle
import shutil
from pathlib import Path

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, _CacheLocator
from numba.core.runtime import rtsys

from scratchnet import special
from scratchnet.cache import cache_folder

_KEPT = 8  # folders: those of the versions that were last compiled
_ROOM = 16 << 20  # bytes, several times what all kernels take
_compiles = True  # whether what is not in the cache may be compiled


class NotCompiled(Exception):
    """A kernel is not in the cache, and the caller wants nothing to be compiled."""


@contextlib.contextmanager
def only_what_is_kept():
    """A ``with`` block in which nothing is compiled: a kernel that the cache has not raises `NotCompiled`."""
    global _compiles
    _compiles = False
    try:
        yield
    finally:
        _compiles = True


def _hash_of_sources():
    """A hash of all that decides the machine code, except for the processor, which Numba takes care of."""
    total = hashlib.sha256(f"{numba.__version__} {numba.config.BOUNDSCHECK}".encode())
    for path in [Path(special.__file__), *sorted(Path(__file__).parent.glob("*.py"))]:
        total.update(path.read_bytes())
    return total.hexdigest()[:16]


def kernels_folder():
    """The folder of this version's compiled kernels, or None where the user has no place for them."""
    try:
        chosen = numba.config.CACHE_DIR
        folder = Path(chosen) / "scratchnet" if chosen else cache_folder() / "kernels"
        return folder / _HASH
    except RuntimeError:  # no home
        return None


def can_keep():
    """Whether compiled kernels can be kept: their folder exists or can be made, and there is room on the disk."""
    folder = kernels_folder()
    if folder is None:
        return False
    there = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    return os.access(there, os.W_OK | os.X_OK) and there.is_dir() and shutil.disk_usage(there).free > _ROOM


class _InFolder(_CacheLocator):
    """Tells Numba the folder. Its content is never out of date, because its name holds the hash of the sources."""

    def __init__(self, py_func):
        self._py_file, self._line = py_func.__code__.co_filename, py_func.__code__.co_firstlineno

    @classmethod
    def from_function(cls, py_func, py_file):
        return cls(py_func)

    def get_cache_path(self):
        return str(kernels_folder())

    def get_source_stamp(self):
        return _HASH

    def get_disambiguator(self):
        return str(self._line)

    def ensure_cache_path(self):
        folder = kernels_folder()
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _remove_older(folder)


def _remove_older(folder):
    others = [other for other in folder.parent.iterdir() if other.is_dir() and len(other.name) == len(_HASH)]
    others.sort(key=lambda other: other.stat().st_mtime, reverse=True)
    for other in others[_KEPT:]:
        shutil.rmtree(other, ignore_errors=True)


class _Implementation(CompileResultCacheImpl):
    _locator_classes = [_InFolder]


class _Files(IndexDataCacheFile):
    """A file for each version of a function, named after what it is compiled for, which also stands in it.

    Numba's own numbers the files and lists them in another one. Of two processes that save at the same time both may
    take the same number: then the machine code of one version is found under the other's types, and computes nonsense.

    Each file begins with the hash of its content: damaged machine code would crash without an error.
    """

    def __init__(self, path, name):
        super().__init__(path, name, _HASH)
        self._name = name

    def save(self, key, data):
        content = self._dump((key, data))
        with self._open_for_write(self._path_of(key)) as file:
            file.write(hashlib.sha256(content).digest() + content)

    def load(self, key):
        try:
            content = self._path_of(key).read_bytes()
        except FileNotFoundError:
            return None
        digest, content = content[:32], content[32:]
        if hashlib.sha256(content).digest() != digest:
            raise ValueError("a compiled kernel is damaged")
        kept_for, data = pickle.loads(content)
        return data if kept_for == key else None

    def _path_of(self, key):
        return Path(self._data_path(f"{self._name}.{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}.nbc"))


class KernelCache(FunctionCache):
    """The compiled versions of one function on disk. If anything goes wrong with them, they are compiled again."""

    _impl_class = _Implementation

    def __init__(self, py_func):
        super().__init__(py_func)
        self._cache_file = _Files(self._cache_path, self._impl.filename_base)
        if kernels_folder() is None:
            self.disable()

    def load_overload(self, sig, target_context):
        found = None
        try:
            # Numba's own would first make ready to compile whatever there is: more than half of the time until a first
            # step. Machine code only needs the memory management; who compiles makes ready by itself.
            rtsys.initialize(target_context)
            with self._guard_against_spurious_io_errors():
                found = self._load_overload(sig, target_context)
        except Exception:  # a damaged pickle may raise anything; it is written anew when it is compiled
            pass
        if found is None and not _compiles:
            raise NotCompiled(f"{self._py_func.__name__} of {sig}")
        return found

    def save_overload(self, sig, data):
        try:
            super().save_overload(sig, data)
        except OSError:  # no such folder, no right to write, no room
            self.disable()


_HASH = _hash_of_sources()
