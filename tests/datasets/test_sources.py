"""Where a file is taken from: the user's folder, the cache, the net, in this order; and what the error says."""

import hashlib
import sys
from pathlib import Path

import pytest

from scratchnet.datasets import sources

GOOD = b"the right content"


def read(path):
    content = path.read_bytes()
    if content != GOOD:
        raise ValueError(f"{path}: not the right content")
    return path


@pytest.fixture
def mirror(mirror_of):
    return mirror_of(GOOD)


@pytest.fixture
def source(mirror):
    return sources.Source(
        dataset="DATA",
        cached="sub/file.gz",
        places=("file.gz", "sub/file.gz"),
        urls=(mirror.url,),
        known_hash=hashlib.sha256(GOOD).hexdigest(),
        size=len(GOOD),
        needed="the file file.gz",
        sample="data.load_sample()",
    )


@pytest.fixture
def cached(tmp_path):
    return tmp_path / "cache" / "sub" / "file.gz"


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_users_folder_comes_first(source, mirror, cached, tmp_path, monkeypatch):
    put(cached, GOOD)
    own = put(tmp_path / "own" / "sub" / "file.gz", GOOD)
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path / "own"))
    assert sources.fetch(source, read) == own
    assert mirror.requested == 0


def test_a_file_directly_in_the_users_folder_comes_before_its_subfolder(source, tmp_path, monkeypatch):
    put(tmp_path / "own" / "sub" / "file.gz", GOOD)
    direct = put(tmp_path / "own" / "file.gz", GOOD)
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path / "own"))
    assert sources.fetch(source, read) == direct


def test_the_users_folder_may_be_below_the_home_folder(source, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("SCRATCHNET_DATA", str(Path("~") / "own"))
    own = put(tmp_path / "own" / "file.gz", GOOD)
    assert sources.fetch(source, read) == own


@pytest.mark.parametrize("exists, problem", [(True, "has none of file.gz, sub/file.gz"), (False, "is not there")])
def test_a_users_folder_without_the_file_is_an_error_and_nothing_is_downloaded(
    source, mirror, cached, tmp_path, monkeypatch, exists, problem
):
    put(cached, GOOD)
    own = tmp_path / "own"
    if exists:
        own.mkdir()
    monkeypatch.setenv("SCRATCHNET_DATA", str(own))
    with pytest.raises(FileNotFoundError, match=problem) as caught:
        sources.fetch(source, read)
    for part in ("DATA", str(own), "Put the file file.gz there", "unset SCRATCHNET_DATA", "data.load_sample()"):
        assert part in str(caught.value)
    assert mirror.requested == 0


def test_a_wrong_file_of_the_user_is_an_error_and_stays(source, mirror, tmp_path, monkeypatch):
    own = put(tmp_path / "own" / "file.gz", b"wrong")
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path / "own"))
    with pytest.raises(ValueError, match="not the right content"):
        sources.fetch(source, read)
    assert own.read_bytes() == b"wrong" and mirror.requested == 0


def test_the_cache_comes_before_the_net(source, mirror, cached):
    put(cached, GOOD)
    assert sources.fetch(source, read) == cached
    assert mirror.requested == 0


def test_the_net_fills_the_cache(source, mirror, cached):
    sources.fetch(source, read)
    assert sources.fetch(source, read) == cached
    assert cached.read_bytes() == GOOD and mirror.requested == 1


def test_an_empty_variable_counts_as_not_set(source, cached, monkeypatch):
    monkeypatch.setenv("SCRATCHNET_DATA", "")
    put(cached, GOOD)
    assert sources.fetch(source, read) == cached


def test_a_damaged_cached_file_is_replaced_and_said(source, cached, capsys):
    put(cached, b"bits have fallen over")
    sources.fetch(source, read)
    assert cached.read_bytes() == GOOD
    assert "Fetching file.gz anew" in capsys.readouterr().err


def test_a_damaged_cached_file_stays_until_there_is_a_better_one(source, mirror, cached):
    put(cached, b"bits have fallen over")
    mirror.status = 503
    with pytest.raises(FileNotFoundError):
        sources.fetch(source, read)
    assert cached.exists()


def test_offline_and_empty_handed_the_error_says_what_to_do(source, mirror, cached):
    mirror.status = 404
    with pytest.raises(FileNotFoundError) as caught:
        sources.fetch(source, read)
    message = str(caught.value)
    for part in (
        "DATA is not on this machine",
        f"{mirror.url}: 404",
        "data.load_sample()",
        "the file file.gz",
        "SCRATCHNET_DATA",
        str(cached.parent),
    ):
        assert part in message


def test_a_data_set_without_a_sample_is_not_told_of_one(source, mirror, tmp_path, monkeypatch):
    mirror.status = 404
    with pytest.raises(FileNotFoundError, match="Without a network, get the file file.gz elsewhere"):
        sources.fetch(source._replace(sample=""), read)
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path / "own"))
    with pytest.raises(FileNotFoundError, match=r"or unset SCRATCHNET_DATA to download\.$"):
        sources.fetch(source._replace(sample=""), read)


def test_without_pooch_the_error_says_what_to_install_or_to_do_instead(source, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match="DATA is not on this machine: .*pip install pooch.*data.load_sample()"):
        sources.fetch(source, read)


def test_a_cache_that_cannot_be_made_is_an_error_that_names_it(source, tmp_path):
    (tmp_path / "cache").write_bytes(b"a file where the folder should be")
    with pytest.raises(FileNotFoundError, match="(?s)could not be downloaded to .*cache.*SCRATCHNET_CACHE"):
        sources.fetch(source, read)


@pytest.mark.parametrize(
    "platform, variables, expected",
    [
        ("linux", {}, "home/.cache/scratchnet"),
        ("linux", {"XDG_CACHE_HOME": "xdg"}, "xdg/scratchnet"),
        ("darwin", {}, "home/Library/Caches/scratchnet"),
        ("win32", {"LOCALAPPDATA": "local"}, "local/scratchnet/Cache"),
        ("win32", {}, "home/AppData/Local/scratchnet/Cache"),
        ("linux", {"SCRATCHNET_CACHE": "mine", "XDG_CACHE_HOME": "xdg"}, "mine"),
    ],
)
def test_the_cache_folder_is_where_the_system_keeps_caches(monkeypatch, platform, variables, expected):
    for name in ("SCRATCHNET_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("home"))
    assert sources.cache_folder() == Path(expected)
