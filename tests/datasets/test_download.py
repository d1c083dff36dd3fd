"""The downloader against a server on loopback that cuts, lies, refuses and disappears."""

import io
import os
import threading
import time

import pytest

from scratchnet.datasets import download as downloads
from scratchnet.datasets.download import DownloadError, download

CONTENT = bytes(range(256)) * 1000


def read(path):
    content = path.read_bytes()
    if content != CONTENT:
        raise ValueError(f"wrong checksum of {len(content)} bytes")
    return content


@pytest.fixture
def target(tmp_path):
    return tmp_path / "new" / "folder" / "file.gz"


def left_of(target):
    """Names in the target's folder, beside it."""
    return sorted(path.name for path in target.parent.iterdir() if path != target)


def test_fetches_the_file_and_leaves_nothing_else(mirror_of, target):
    assert download([mirror_of(CONTENT).url], target, read) == CONTENT
    assert target.read_bytes() == CONTENT
    assert left_of(target) == []


def test_a_file_without_declared_length_is_fetched(mirror_of, target):
    mirror = mirror_of(CONTENT)
    mirror.declares_length = False
    assert download([mirror.url], target, read) == CONTENT


def test_a_404_on_the_first_mirror_leads_to_the_second(mirror_of, target):
    gone, good = mirror_of(CONTENT), mirror_of(CONTENT)
    gone.status = 404
    assert download([gone.url, good.url], target, read) == CONTENT
    assert gone.requested == [None]


def test_a_cut_connection_is_resumed_where_it_broke(mirror_of, target):
    mirror = mirror_of(CONTENT)
    mirror.cuts = [100_000, 50_000]
    assert download([mirror.url], target, read) == CONTENT
    assert mirror.requested == [None, "bytes=100000-", "bytes=150000-"]


def test_a_cut_file_without_declared_length_is_noticed_by_its_content(mirror_of, target):
    mirror = mirror_of(CONTENT)
    mirror.declares_length = False
    mirror.cuts = [100_000]
    with pytest.raises(DownloadError, match="wrong checksum of 100000 bytes"):
        download([mirror.url], target, read)


def test_a_server_that_cannot_resume_is_asked_from_the_start(mirror_of, target):
    mirror = mirror_of(CONTENT)
    mirror.ranges = False
    mirror.cuts = [100_000]
    assert download([mirror.url], target, read) == CONTENT
    assert mirror.requested == [None, "bytes=100000-"]


def test_a_server_that_always_cuts_at_the_same_place_is_given_up(mirror_of, target):
    mirror = mirror_of(CONTENT)
    mirror.ranges = False
    mirror.cuts = [100_000] * 5
    with pytest.raises(DownloadError, match="ended after 100000 of 256000 bytes"):
        download([mirror.url], target, read)
    assert len(mirror.requested) == 2


def test_connections_to_one_mirror_are_bounded(mirror_of, target):
    mirror = mirror_of(CONTENT)
    mirror.cuts = [10] * 100
    with pytest.raises(DownloadError, match="interrupted 10 times"):
        download([mirror.url], target, read)


def test_the_next_mirror_goes_on_where_the_first_stopped(mirror_of, target):
    dying, good = mirror_of(CONTENT), mirror_of(CONTENT)
    dying.cuts = [100_000, 0]
    assert download([dying.url, good.url], target, read) == CONTENT
    assert good.requested == ["bytes=100000-"]


def test_wrong_content_is_never_the_target_and_leads_to_the_next_mirror(mirror_of, target):
    wrong, good = mirror_of(b"<html>please log in</html>"), mirror_of(CONTENT)
    seen = []

    def watching_read(path):
        seen.append(target.exists())
        return read(path)

    assert download([wrong.url, good.url], target, watching_read) == CONTENT
    assert seen == [False, False]


def test_wrong_content_everywhere_is_an_error_and_leaves_nothing(mirror_of, target):
    with pytest.raises(DownloadError, match="wrong checksum of 5 bytes"):
        download([mirror_of(b"wrong").url], target, read)
    assert not target.exists() and left_of(target) == []


def test_pieces_that_do_not_fit_together_are_fetched_anew(mirror_of, target):
    mirror = mirror_of(CONTENT)
    target.parent.mkdir(parents=True)
    target.with_name("file.gz.part").write_bytes(b"of another compression")
    assert download([mirror.url], target, read) == CONTENT
    assert mirror.requested == ["bytes=22-", None]


def test_a_part_that_is_already_complete_is_used(mirror_of, target):
    mirror = mirror_of(CONTENT)
    target.parent.mkdir(parents=True)
    target.with_name("file.gz.part").write_bytes(CONTENT)
    assert download([mirror.url], target, read) == CONTENT
    assert left_of(target) == []


def test_a_part_that_is_too_long_is_fetched_anew(mirror_of, target):
    mirror = mirror_of(CONTENT)
    target.parent.mkdir(parents=True)
    target.with_name("file.gz.part").write_bytes(CONTENT + b"too much")
    assert download([mirror.url], target, read) == CONTENT


def test_when_all_mirrors_are_dead_the_error_names_each_with_its_reason(mirror_of, target):
    gone, down, closed = mirror_of(CONTENT), mirror_of(CONTENT), mirror_of(CONTENT)
    gone.status, down.status = 404, 503
    closed.server.server_close()
    with pytest.raises(DownloadError) as caught:
        download([gone.url, down.url, closed.url], target, read)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{gone.url}: HTTP 404 Not Found"
    assert lines[1] == f"{down.url}: HTTP 503 Service Unavailable"
    assert lines[2].startswith(closed.url)


def test_what_arrived_before_the_failure_is_resumed_by_the_next_call(mirror_of, target):
    mirror = mirror_of(CONTENT)
    mirror.cuts = [100_000, 0]
    with pytest.raises(DownloadError):
        download([mirror.url], target, read)
    assert left_of(target) == ["file.gz.part"]
    assert download([mirror.url], target, read) == CONTENT
    assert mirror.requested[-1] == "bytes=100000-"


def test_ctrl_c_keeps_what_has_arrived(mirror_of, target, monkeypatch):
    def interrupt(bar, done):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(downloads._ProgressBar, "update", interrupt)
        with pytest.raises(KeyboardInterrupt):
            download([mirror_of(CONTENT).url], target, read)
    assert left_of(target) == ["file.gz.part"]
    assert download([mirror_of(CONTENT).url], target, read) == CONTENT


def test_the_part_of_a_killed_process_is_adopted_when_it_is_old(mirror_of, target):
    mirror = mirror_of(CONTENT)
    target.parent.mkdir(parents=True)
    orphan = target.with_name("file.gz.4711-abcdef.part")
    orphan.write_bytes(CONTENT[:1000])
    long_ago = time.time() - 2 * downloads.ABANDONED_SECONDS
    os.utime(orphan, (long_ago, long_ago))
    assert download([mirror.url], target, read) == CONTENT
    assert mirror.requested == ["bytes=1000-"]
    assert left_of(target) == []


def test_the_part_of_a_living_process_is_left_alone(mirror_of, target):
    target.parent.mkdir(parents=True)
    other = target.with_name("file.gz.4711-abcdef.part")
    other.write_bytes(CONTENT[:1000])
    assert download([mirror_of(CONTENT).url], target, read) == CONTENT
    assert other.read_bytes() == CONTENT[:1000]


def test_several_downloads_of_one_file_at_once_all_succeed(mirror_of, target):
    mirror = mirror_of(CONTENT)
    target.parent.mkdir(parents=True)
    target.with_name("file.gz.part").write_bytes(CONTENT[:1000])
    results = []
    threads = [threading.Thread(target=lambda: results.append(download([mirror.url], target, read))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [CONTENT] * 6
    assert target.read_bytes() == CONTENT and left_of(target) == []
    assert mirror.requested.count("bytes=1000-") == 1


def test_a_target_that_cannot_be_replaced_is_that_of_another_process(mirror_of, target, monkeypatch):
    target.parent.mkdir(parents=True)
    target.write_bytes(CONTENT)

    def refuse(source, destination):
        raise PermissionError("the file is open")

    monkeypatch.setattr(os, "replace", refuse)
    assert download([mirror_of(CONTENT).url], target, read) == CONTENT
    assert left_of(target) == []


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_bar_is_drawn_on_a_terminal(mirror_of, target, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    download([mirror_of(CONTENT).url], target, read)
    shown = terminal.getvalue()
    assert shown.endswith("\r[==============================]    0.3 / 0.3 MB\n")


def test_one_line_where_stderr_is_no_terminal(mirror_of, target, capsys):
    mirror = mirror_of(CONTENT)
    download([mirror.url], target, read)
    assert capsys.readouterr() == ("", f"Downloading {mirror.url} (0.3 MB)\n")


def test_works_without_stderr(mirror_of, target, monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    assert download([mirror_of(CONTENT).url], target, read) == CONTENT
