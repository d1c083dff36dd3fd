"""Writing all or not at all: links, permissions, what is in the way, and what killed processes leave behind."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time

import pytest

from scratchnet.files.replace import replacing


def write(path, content=b"new", **kwargs):
    with replacing(path, **kwargs) as file:
        file.write(content)


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        with replacing(path) as file:
            file.write(b"half of the new o")
            raise KeyboardInterrupt
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["f"]
    write(path)
    assert path.read_bytes() == b"new" and os.listdir(tmp_path) == ["f"]


def test_a_link_is_followed(tmp_path):
    (tmp_path / "disk").mkdir()
    target, link = tmp_path / "disk" / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write(link)
    assert link.is_symlink() and target.read_bytes() == b"new"
    target.unlink()
    write(link, b"again")  # a link to a file that is to be
    assert link.is_symlink() and target.read_bytes() == b"again"


def test_what_is_no_regular_file_is_left_alone(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="pipe: it is no regular file"):
        write(pipe)
    assert stat.S_ISFIFO(os.stat(pipe).st_mode)
    with pytest.raises(OSError, match="/dev/null: it is no regular file"):
        write("/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(IsADirectoryError, match="is a folder"):
        write(tmp_path)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(OSError, match="loop"):
        write(loop)


def test_a_new_file_is_as_the_umask_says_and_an_old_one_keeps_its_permissions(tmp_path):
    path, before = tmp_path / "f", os.umask(0o027)
    try:
        write(path)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o640
        path.chmod(0o604)
        write(path)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o604
    finally:
        os.umask(before)


def test_the_umask_is_never_touched(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "umask", None)  # it is the whole process's: other threads make files meanwhile
    write(tmp_path / "f")


def test_a_write_protected_file_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everything
    with pytest.raises(PermissionError, match="write-protected"):
        write(path)


def test_a_full_disk_is_told_with_the_name_of_the_file(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "f"
    path.write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, hard))  # no file may be larger: an error as of a full disk
    try:
        with pytest.raises(OSError, match=str(path)):
            write(path, bytes(1 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["f"]


def test_an_error_of_another_file_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError, match="elsewhere"):
        with replacing(tmp_path / "f"):
            open(tmp_path / "elsewhere", "rb")


def test_overwriting_can_be_forbidden(tmp_path):
    path = tmp_path / "f"
    write(path, overwrite=False)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        write(path, overwrite=False)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        write(tmp_path / "no" / "f")


WRITER = """
import sys
from scratchnet.files.replace import replacing
with replacing(sys.argv[1]) as file:
    file.write(b"never finished")
    file.flush()
    print("writing", flush=True)
    sys.stdin.read()
"""


def start_writer(path):
    process = subprocess.Popen([sys.executable, "-c", WRITER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"writing\n"
    return process


def test_what_a_killed_process_left_is_cleared_away_and_a_living_ones_is_not(tmp_path):
    path = tmp_path / "f"
    (tmp_path / "f.notes.tmp").write_bytes(b"somebody's")
    with start_writer(path) as killed, start_writer(path) as living:
        assert len(os.listdir(tmp_path)) == 3
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        write(path)
        assert path.read_bytes() == b"new"
        assert len(os.listdir(tmp_path)) == 3  # the file, the living one's, and what is not ours
        living.stdin.close()
        living.wait()
        assert path.read_bytes() == b"never finished"
    assert sorted(os.listdir(tmp_path)) == ["f", "f.notes.tmp"]


def test_many_threads_that_write_one_file_never_leave_a_part(tmp_path):
    path, problems, stop = tmp_path / "f", [], time.monotonic() + 0.5

    def work(letter):
        try:
            while time.monotonic() < stop:
                write(path, letter * 10_000)
                content = path.read_bytes()
                assert len(content) == 10_000 and len(set(content)) == 1
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(letter,)) for letter in (b"a", b"b", b"c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems and os.listdir(tmp_path) == ["f"]
