"""Archives are extracted whole, and nothing of a hostile one leaves the folder."""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile

import pytest

from scratchnet.datasets import extraction

FILES = {"a.txt": b"the first", "sub/deep/b.txt": b"the second", "sub/empty": b""}


def tar(*members, pack=bytes):
    """members: (name, content), or (name, type of tarfile, target of the link)"""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content, *link in members:
            info = tarfile.TarInfo(name)
            if link:
                info.type, info.linkname = content, link[0]
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return pack(buffer.getvalue())


def zipped(*members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def extract(tmp_path):
    """Function of an archive's bytes: what is in the folder afterwards, and that there is nothing beside it."""
    (tmp_path / "room").mkdir()

    def extract(content, formats=extraction.FORMATS):
        path, folder = tmp_path / "room" / "archive", tmp_path / "room" / "folder"
        path.write_bytes(content)
        try:
            extraction.extract(path, folder, formats)
        finally:
            assert {file.name for file in tmp_path.iterdir()} == {"room"}
            assert {file.name for file in (tmp_path / "room").iterdir()} <= {"archive", "folder"}
            assert not any(file.is_symlink() for file in folder.rglob("*"))
        found = [file for file in folder.rglob("*") if file.is_file()]
        return {file.relative_to(folder).as_posix(): file.read_bytes() for file in found}

    return extract


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_a_tar_archive_is_extracted(extract, pack):
    assert extract(tar(("sub", tarfile.DIRTYPE, ""), *FILES.items(), pack=pack)) == FILES


def test_a_zip_archive_is_extracted(extract):
    assert extract(zipped(("sub/", b""), *FILES.items())) == FILES


def test_what_the_folder_held_is_replaced(extract):
    extract(zipped(("old.txt", b"old")))
    assert extract(zipped(("new.txt", b"new"))) == {"new.txt": b"new"}


@pytest.mark.parametrize("name", ["../outside", "/outside", "sub/../../outside", "/etc/../outside", ".."])
@pytest.mark.parametrize("pack", [tar, zipped])
def test_a_member_that_leads_out_is_refused(extract, name, pack):
    with pytest.raises(ValueError, match="archive: not extracted: the member .* leads out of the folder"):
        extract(pack(("a.txt", b"a"), (name, b"hostile")))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_becomes_a_copy_of_what_it_points_to_in_the_archive(extract, kind):
    assert extract(tar(("a.txt", b"a"), ("b.txt", kind, "a.txt"))) == {"a.txt": b"a", "b.txt": b"a"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("target", ["../outside", "/etc/passwd", "nowhere", "link"])
def test_a_link_to_anything_else_is_refused(extract, kind, target):
    with pytest.raises(ValueError, match="archive: not extracted"):
        extract(tar(("link", kind, target), ("link/evil", b"hostile")))


@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_a_device_is_refused(extract, kind):
    with pytest.raises(ValueError, match="the member null is neither a file nor a folder"):
        extract(tar(("null", kind, "")))


def test_rights_in_the_archive_do_not_count(extract, tmp_path):
    info = zipfile.ZipInfo("a.txt")
    info.external_attr = (stat.S_IFLNK | 0o6777) << 16  # a link, which anybody may run as its owner
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    assert extract(buffer.getvalue()) == {"a.txt": b"/etc/passwd"}
    assert not (tmp_path / "room" / "folder" / "a.txt").stat().st_mode & 0o7111


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>please log in</html>",
        tar(*FILES.items(), pack=gzip.compress)[:-100],
        tar(("a.txt", bytes(range(256)) * 10))[:1500],
        zipped(*FILES.items())[:-5],
        zipped(("a.txt", bytes(1000)))[:40] + b"!!!" + zipped(("a.txt", bytes(1000)))[43:],
    ],
    ids=range(6),
)
def test_a_damaged_archive_is_refused_and_leaves_no_folder(extract, content, tmp_path):
    with pytest.raises(ValueError, match="archive: not extracted"):
        extract(content)
    assert not (tmp_path / "room" / "folder").exists()


def test_only_the_wanted_forms_are_extracted(extract):
    with pytest.raises(ValueError, match="expected an archive of the form tar$"):
        extract(zipped(*FILES.items()), ("tar",))
    with pytest.raises(ValueError, match="expected an archive of the form zip$"):
        extract(tar(*FILES.items()), ("zip",))
