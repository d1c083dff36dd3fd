"""Downloads from a server on loopback that cuts, lies, refuses, trickles and never ends."""

import hashlib
import os
import stat
import subprocess
import sys
import threading

import pytest

from scratchnet.datasets import download as downloads
from scratchnet.datasets.download import DownloadError, download

CONTENT = bytes(range(256)) * 1000
SIZE = len(CONTENT)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def target(tmp_path):
    return tmp_path / "new" / "folder" / "file.gz"


def fetch(target, *urls, known_hash=SHA256, size=SIZE):
    download(urls, target, known_hash, size)
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]


def assert_fails(target, message, *urls, **options):
    with pytest.raises(DownloadError, match=message) as caught:
        fetch(target, *urls, **options)
    assert list(target.parent.iterdir()) == []
    return caught.value


def test_fetches_the_file_and_leaves_nothing_else(mirror_of, target):
    fetch(target, mirror_of(CONTENT).url)


@pytest.mark.parametrize("known_hash", [None, f"md5:{hashlib.md5(CONTENT).hexdigest()}", SHA256.upper()])
def test_the_content_is_known_by_any_digest_or_taken_as_it_comes(mirror_of, target, known_hash):
    fetch(target, mirror_of(CONTENT).url, known_hash=known_hash)


def test_a_file_without_declared_length_is_fetched(mirror_of, target):
    mirror = mirror_of(CONTENT)
    mirror.declares_length = False
    fetch(target, mirror.url)
    target.unlink()
    fetch(target, mirror.url, size=None)


def test_a_404_on_the_first_mirror_leads_to_the_second(mirror_of, target):
    gone, good = mirror_of(CONTENT), mirror_of(CONTENT)
    gone.status = 404
    fetch(target, gone.url, good.url)
    assert gone.requested == good.requested == 1


def test_wrong_content_is_never_the_target_and_leads_to_the_next_mirror(mirror_of, target):
    fetch(target, mirror_of(b"<html>please log in</html>").url, mirror_of(CONTENT).url)


def test_wrong_content_everywhere_is_an_error_and_leaves_nothing(mirror_of, target):
    assert_fails(target, "SHA256 hash .* does not match", mirror_of(b"wrong").url)


@pytest.mark.parametrize("declares_length, message", [(True, "IncompleteRead"), (False, "does not match")])
def test_a_connection_that_breaks_off_leads_to_the_next_mirror(mirror_of, target, declares_length, message):
    broken = mirror_of(CONTENT)
    broken.cut, broken.declares_length = 100_000, declares_length
    assert_fails(target, message, broken.url)
    fetch(target, broken.url, mirror_of(CONTENT).url)


def test_a_body_that_never_ends_is_given_up_by_the_known_size(mirror_of, target):
    endless = mirror_of(CONTENT)
    endless.endless = True
    assert_fails(target, "given up: the file has 256000 bytes at most, the server sends more", endless.url)
    fetch(target, endless.url, mirror_of(CONTENT).url)


def test_a_body_that_never_ends_is_given_up_also_where_nobody_knows_its_size(mirror_of, target, monkeypatch):
    monkeypatch.setattr(downloads, "LARGEST", 300_000)
    endless = mirror_of(CONTENT)
    endless.endless = True
    with pytest.raises(DownloadError, match="given up: the file has 300000 bytes at most, the server sends more"):
        download([endless.url], target)
    assert not target.exists()


def test_a_body_that_trickles_is_given_up(mirror_of, target, monkeypatch):
    monkeypatch.setattr(downloads, "PATIENCE", 0.1)
    trickling = mirror_of(CONTENT)
    trickling.pause = 0.01
    assert_fails(target, r"given up: \d+ bytes in 0 seconds", trickling.url)
    fetch(target, trickling.url, mirror_of(CONTENT).url)


def test_a_slow_beginning_is_borne(mirror_of, target, monkeypatch):
    monkeypatch.setattr(downloads, "PATIENCE", 5)
    slow = mirror_of(b"ten bytes.")
    slow.pause = 0.02
    download([slow.url], target)
    assert target.read_bytes() == b"ten bytes."


def test_a_server_that_says_nothing_is_given_up(mirror_of, target, monkeypatch):
    monkeypatch.setattr(downloads, "SILENCE", 0.1)
    silent = mirror_of(CONTENT[:2])
    silent.pause = 0.5
    assert_fails(target, "timed out", silent.url)


def test_the_whole_of_a_known_size_is_bounded_in_time():
    downloader = downloads._Downloader(170_000_000)
    bound = downloads.PATIENCE + downloader.size / downloads.SLOWEST
    downloader.check(downloader.size, bound - 1)
    with pytest.raises(ConnectionError, match="given up: 169999999 bytes in 8521 seconds"):
        downloader.check(downloader.size - 1, bound + 1)


def test_when_all_mirrors_are_dead_the_error_names_each_with_its_reason(mirror_of, target):
    gone, down = mirror_of(CONTENT), mirror_of(CONTENT)
    gone.status, down.status = 404, 503
    lines = str(assert_fails(target, "Not Found", gone.url, down.url, "http://127.0.0.1:1/")).splitlines()
    assert lines[0].startswith(f"{gone.url}: 404") and lines[1].startswith(f"{down.url}: 503")
    assert lines[2].startswith("http://127.0.0.1:1/: ") and "refused" in lines[2]


def test_a_file_of_other_content_is_replaced_and_only_by_the_right_one(mirror_of, target):
    target.parent.mkdir(parents=True)
    target.write_bytes(b"old")
    with pytest.raises(DownloadError):
        download([mirror_of(b"wrong").url], target, SHA256)
    assert target.read_bytes() == b"old"
    fetch(target, mirror_of(CONTENT).url)


def test_several_downloads_of_one_file_at_once_all_succeed(mirror_of, target):
    mirror = mirror_of(CONTENT)
    threads = [threading.Thread(target=download, args=([mirror.url], target, SHA256)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_bytes() == CONTENT and list(target.parent.iterdir()) == [target]


def test_a_local_file_is_an_address_too(tmp_path, target):
    source = tmp_path / "the source.gz"
    source.write_bytes(CONTENT)
    fetch(target, source.as_uri())
    target.unlink()
    assert_fails(target, "missing.gz", (tmp_path / "missing.gz").as_uri())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")
def test_whoever_may_read_other_new_files_may_read_this_one(mirror_of, target):
    fetch(target, mirror_of(CONTENT).url)
    other = target.with_name("other")
    other.touch()
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


def test_a_bar_is_drawn(mirror_of, target, capsys):
    fetch(target, mirror_of(CONTENT).url)
    assert "256k/256k" in capsys.readouterr().err


def test_without_tqdm_there_is_no_bar(mirror_of, target, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    fetch(target, mirror_of(CONTENT).url)
    assert "256k" not in capsys.readouterr().err


def test_works_without_stderr(mirror_of, target, monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    fetch(target, mirror_of(CONTENT).url)


def test_without_pooch_the_error_says_what_to_install(target, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match="file.gz has to be downloaded, which needs pooch: pip install pooch"):
        download(["http://127.0.0.1:1/"], target, SHA256)


def test_a_killed_download_leaves_no_target(mirror_of, target):
    trickling = mirror_of(CONTENT)
    trickling.pause = 0.01
    code = f"""if True:
        import os, pathlib, threading
        from scratchnet.datasets.download import download
        threading.Timer(0.3, os._exit, [9]).start()
        download([{trickling.url!r}], pathlib.Path({str(target)!r}), {SHA256!r})
    """
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 9
    assert not target.exists()
    trickling.pause = None
    download([trickling.url], target, SHA256)
    assert target.read_bytes() == CONTENT
