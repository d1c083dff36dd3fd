"""Compiled kernels are kept in the user's cache folder, and no trouble with it keeps anybody from computing."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

numba = pytest.importorskip("numba")
if numba.config.DISABLE_JIT:
    pytest.skip("nothing is compiled", allow_module_level=True)

from scratchnet import kernels  # noqa: E402
from scratchnet.kernels.with_numba import cache, compile  # noqa: E402


def double(x):
    return x + x


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "numba"))
    return tmp_path / "numba" / "scratchnet" / cache._HASH


def compiled():
    """Call a fresh kernel; the numbers of versions that were loaded, and compiled."""
    kernel = compile.njit(double)
    assert kernel(2) == 4
    return sum(kernel.stats.cache_hits.values()), sum(kernel.stats.cache_misses.values())


def test_what_one_process_has_compiled_the_next_one_loads(folder):
    assert compiled() == (0, 1)
    assert len(list(folder.iterdir())) == 1
    assert compiled() == (1, 0)


def test_what_two_processes_save_at_the_same_time_is_not_mixed_up(folder, monkeypatch):
    first, second = compile.njit(double), compile.njit(double)  # as if each were in a process of its own
    written, write = [], cache._Files._open_for_write

    def slowly(files, path):
        if not written:  # the other one begins and ends while this one is about to write
            written.append(path)
            assert second(2.5) == 5
        return write(files, path)

    monkeypatch.setattr(cache._Files, "_open_for_write", slowly)
    assert first(2) == 4
    third = compile.njit(double)
    assert third(2) == 4 and third(2.5) == 5
    assert sum(third.stats.cache_hits.values()) == 2


def test_a_file_that_was_compiled_for_other_types_is_as_none(folder):
    compiled()
    (of_integers,) = folder.iterdir()
    assert compile.njit(double)(2.5) == 5
    (of_floats,) = {*folder.iterdir()} - {of_integers}
    of_floats.write_bytes(of_integers.read_bytes())
    kernel = compile.njit(double)
    assert kernel(2.5) == 5 and not sum(kernel.stats.cache_hits.values())


def test_one_may_ask_only_for_what_is_there(folder):
    kernel = compile.njit(double)
    assert kernels.if_compiled(lambda: kernel(2)) is None
    assert kernel(2) == 4
    assert kernels.if_compiled(lambda: compile.njit(double)(2)) == 4  # in the cache
    assert kernels.if_compiled(lambda: kernel(2)) == 4  # in memory


@pytest.mark.parametrize("damage", ["cut", "changed", "emptied", "removed"])
def test_a_damaged_file_is_as_none(folder, damage):
    compiled()
    (file,) = folder.iterdir()
    content = file.read_bytes()
    if damage == "removed":
        file.unlink()
    else:
        middle = len(content) // 2
        changed = content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
        file.write_bytes({"cut": content[:middle], "changed": changed, "emptied": b""}[damage])
    compiled()
    assert compiled() == (1, 0)  # it is whole again


def test_without_room_or_rights_kernels_are_compiled_in_memory(folder, monkeypatch, capsys):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache.IndexDataCacheFile, "_open_for_write", full)
    assert compiled() == (0, 1) == compiled()
    monkeypatch.undo()
    monkeypatch.setattr(numba.config, "CACHE_DIR", __file__)  # a file where the folder should be
    assert compiled() == (0, 1) == compiled()
    assert capsys.readouterr() == ("", "")


def test_whoever_waits_is_told_whether_it_is_for_once(tmp_path, monkeypatch, capsys):
    def told(folder, room=cache._ROOM + 1):
        monkeypatch.setattr(numba.config, "CACHE_DIR", str(folder))
        monkeypatch.setattr(cache.shutil, "disk_usage", lambda path: SimpleNamespace(free=room))
        compile.CompilingWatch()._tell()
        return capsys.readouterr().err

    assert "(once; they are cached)" in told(tmp_path / "new" / "folder")
    assert "(once; they are cached)" in told(tmp_path)
    for message in (told(tmp_path, room=1000), told(__file__), told(Path(__file__) / "below")):
        assert "no place to keep them: set SCRATCHNET_CACHE" in message
    monkeypatch.setattr(cache, "kernels_folder", lambda: None)
    assert not cache.can_keep()


def test_what_cannot_be_kept_is_compiled_and_said():
    large = np.arange(1 << 18)
    kernel = compile.njit(lambda n: large[n])
    with pytest.warns(numba.core.errors.NumbaWarning, match="Cannot cache"):
        assert kernel(3) == 3


def test_without_a_home_they_are_compiled_in_memory(monkeypatch):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setattr(cache, "cache_folder", nowhere)
    assert cache.kernels_folder() is None
    assert compiled() == (0, 1) == compiled()


def test_the_folder_is_another_one_after_any_change_of_the_sources(tmp_path, monkeypatch):
    sources = tmp_path / "kernels"
    sources.mkdir()
    for source in Path(cache.__file__).parent.glob("*.py"):
        (sources / source.name).write_bytes(source.read_bytes())
    monkeypatch.setattr(cache, "__file__", str(sources / "cache.py"))
    for elsewhere in ("a", "z"):  # in whatever order the paths of the two places are
        special = tmp_path / elsewhere / "special.py"
        special.parent.mkdir(exist_ok=True)
        special.write_bytes(Path(cache.special.__file__).read_bytes())
        with monkeypatch.context() as patched:
            patched.setattr(cache.special, "__file__", str(special))
            assert cache._hash_of_sources() == cache._HASH
    with open(sources / "tile.py", "a", encoding="utf-8") as file:
        file.write("\n")
    assert cache._hash_of_sources() != cache._HASH


def test_older_folders_are_removed_and_no_others(folder):
    root = folder.parent
    for k in range(10):
        older = root / f"{k:016x}"
        older.mkdir(parents=True)
        os.utime(older, (k, k))
    (root / "mine").mkdir()
    compiled()
    assert {path.name for path in root.iterdir()} == {folder.name, "mine", *(f"{k:016x}" for k in range(3, 10))}


def test_nothing_is_written_beside_the_package(tmp_path):
    program = (
        "import numpy as np; from scratchnet import kernels; kernels.set_backend('numba');"
        "kernels.adam_update(*np.ones((4, 3)), 0.1, 0.9, 0.999, 1e-7)"
    )
    beside = Path(cache.__file__).parent
    before = set(beside.rglob("*.nb*"))
    environment = {**os.environ, "SCRATCHNET_CACHE": str(tmp_path), "NUMBA_CACHE_DIR": ""}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    assert len(list((tmp_path / "kernels" / cache._HASH).iterdir())) == 1
    assert set(beside.rglob("*.nb*")) == before
