"""get_file: names and places as Keras has them, downloads only what is missing or another file."""

import hashlib
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from scratchnet.datasets.get_file import get_file

CONTENT = b"the content"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def origin(tmp_path):
    """Address of a file to get."""
    path = tmp_path / "server" / "the-data.txt"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path.as_uri()


@pytest.fixture
def server(tmp_path):
    return tmp_path / "server"


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache" / "datasets"


def test_a_file_is_named_after_its_address_or_as_told(origin, cache):
    assert get_file(origin=origin) == str(cache / "the-data.txt")
    assert get_file("other", origin) == str(cache / "other")
    assert get_file(Path("path"), origin=f"{origin}?download=1") == str(cache / "path")
    assert all(file.read_bytes() == CONTENT for file in cache.iterdir()) and len(list(cache.iterdir())) == 3


def test_cache_dir_and_cache_subdir_are_the_place(origin, tmp_path):
    assert get_file("a", origin, cache_dir=tmp_path / "mine") == str(tmp_path / "mine" / "datasets" / "a")
    assert get_file("a", origin, cache_dir=str(tmp_path), cache_subdir="x/y") == str(tmp_path / "x" / "y" / "a")
    assert get_file("a", origin, cache_subdir=str(tmp_path / "z")) == str(tmp_path / "z" / "a")


def test_a_file_is_downloaded_once_over_http(mirror_of, cache):
    mirror = mirror_of(CONTENT)
    for _ in range(2):
        assert get_file(origin=mirror.url) == str(cache / "file.gz")
    assert mirror.requested == 1


def test_force_download_downloads_always(origin, server, cache):
    path = Path(get_file("a", origin))
    (server / "the-data.txt").write_bytes(b"new")
    assert Path(get_file("a", origin)).read_bytes() == CONTENT
    assert Path(get_file("a", origin, force_download=True)).read_bytes() == b"new"
    assert list(cache.iterdir()) == [path]


@pytest.mark.parametrize(
    "hashes",
    [
        {"file_hash": SHA256},
        {"file_hash": MD5},
        {"md5_hash": MD5},
        {"file_hash": SHA256, "hash_algorithm": "sha256"},
        {"file_hash": MD5, "hash_algorithm": "md5"},
        {"file_hash": SHA256, "md5_hash": "not looked at"},
    ],
    ids=str,
)
def test_a_file_of_another_content_is_downloaded_anew(origin, cache, hashes, capsys):
    cache.mkdir(parents=True)
    (cache / "a").write_bytes(b"old")
    assert Path(get_file("a", origin, **hashes)).read_bytes() == CONTENT
    assert "Fetching a anew" in capsys.readouterr().err
    get_file("a", "http://127.0.0.1:1/", **hashes)


def test_wrong_content_is_an_error_and_leaves_nothing(origin, cache):
    with pytest.raises(ValueError, match="get_file: Incomplete or corrupted file: .*the-data.txt: SHA256 hash"):
        get_file("a", origin, file_hash="0" * 64)
    assert list(cache.iterdir()) == []


def test_a_failed_download_is_an_error_that_names_the_address():
    with pytest.raises(OSError, match="http://127.0.0.1:1/file: .*refused"):
        get_file(origin="http://127.0.0.1:1/file")
    with pytest.raises(OSError, match="gopher://127.0.0.1/file: No connection adapters"):
        get_file(origin="gopher://127.0.0.1/file")


@pytest.mark.parametrize(
    "options, message",
    [
        ({"fname": "a"}, "origin is missing"),
        (
            {"fname": os.path.join("sub", "a"), "origin": "http://a/b"},
            "'sub.*a' is no name of a file; give fname without",
        ),
        ({"fname": "..", "origin": "http://a/b"}, "'..' is no name of a file"),
        ({"origin": "http://a/"}, "'' is no name of a file"),
        ({"origin": "http://a/.."}, "'..' is no name of a file"),
        ({"origin": "http://a/b", "file_hash": "0", "hash_algorithm": "sha1"}, "hash_algorithm='sha1', expected"),
        ({"origin": "http://a/b", "extract": True, "archive_format": "rar"}, "archive_format='rar', expected"),
        ({"origin": "http://a/b", "extract": True, "archive_format": None}, "archive_format=None, expected"),
    ],
    ids=str,
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=f"get_file: .*{message}"):
        get_file(**options)


@pytest.fixture(params=["tar.gz", "zip"])
def archive(request, server):
    """Address of an archive that holds the file test.txt."""
    server.mkdir(exist_ok=True)
    path = server / f"data.{request.param}"
    if request.param == "zip":
        with zipfile.ZipFile(path, "w") as written:
            written.writestr("test.txt", CONTENT)
    else:
        with tarfile.open(path, "w:gz") as written:
            member = tarfile.TarInfo("test.txt")
            member.size = len(CONTENT)
            written.addfile(member, io.BytesIO(CONTENT))
    return path.as_uri()


def test_an_archive_is_extracted_to_where_keras_extracts_it(archive, cache):
    name = archive.rpartition("/")[2]
    for options, kept, folder in (
        ({}, f"{name}_archive", name),
        ({"fname": "mine"}, "mine_archive", "mine"),
        ({"fname": "my.own.tgz"}, "my.own.tgz", "my_extracted"),
    ):
        assert get_file(origin=archive, extract=True, **options) == str(cache / folder)
        assert (cache / folder / "test.txt").read_bytes() == CONTENT and (cache / kept).is_file()


def test_an_archive_is_extracted_anew_when_it_is_new_or_the_folder_is_gone(archive, cache, server):
    file = Path(get_file("mine", archive, extract=True)) / "test.txt"
    file.write_bytes(b"changed by the user")
    get_file("mine", archive, extract=True)
    assert file.read_bytes() == b"changed by the user"
    get_file("mine", archive, extract=True, force_download=True)
    assert file.read_bytes() == CONTENT
    file.unlink()
    file.parent.rmdir()
    get_file("mine", "http://127.0.0.1:1/", extract=True)
    assert file.read_bytes() == CONTENT


def test_untar_takes_tar_archives_only(archive, cache):
    if archive.endswith("zip"):
        with pytest.raises(ValueError, match="mine_archive: not extracted: expected an archive of the form tar"):
            get_file("mine", archive, untar=True)
    else:
        assert get_file("mine", archive, untar=True) == str(cache / "mine")


def test_formats_may_be_a_list(archive, cache):
    assert get_file("mine", archive, extract=True, archive_format=["zip", "tar"]) == str(cache / "mine")


def test_an_archive_that_leads_out_of_its_folder_is_refused(server, tmp_path):
    server.mkdir()
    with zipfile.ZipFile(server / "a.zip", "w") as written:
        written.writestr("../../outside.txt", CONTENT)
    with pytest.raises(ValueError, match="mine_archive: not extracted: the member ../../outside.txt leads out"):
        get_file("mine", (server / "a.zip").as_uri(), extract=True)
    assert not list(tmp_path.rglob("outside.txt"))


def test_an_unwritable_cache_is_an_error_that_names_it(origin, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file"):
        get_file("a", origin, cache_dir=tmp_path / "file")
