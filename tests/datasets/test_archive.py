"""Members of tar archives: found in whole ones, and refused in hostile ones before they cost memory or time."""

import contextlib
import gzip
import io
import tarfile
import tracemalloc

import pytest

from scratchnet.datasets import archive

MOST = 1 << 20
WANTED = {"wanted": 1000, "other": 1000}


def member(name, content=b"", size=None, kind=tarfile.REGTYPE, link=""):
    """The bytes of a member, whose header claims ``size`` bytes."""
    info = tarfile.TarInfo(name)
    info.size = len(content) if size is None else size
    info.type, info.linkname = kind, link
    return info.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512)


def read(tmp_path, *members, pack=gzip.compress, end=bytes(1024)):
    path = tmp_path / "a.tar.gz"
    path.write_bytes(pack(b"".join(members) + end))
    return [(name, content) for name, _, content in archive.wanted_members(path, WANTED, MOST)]


@pytest.mark.parametrize("pack", [gzip.compress, bytes], ids=["gzipped", "plain"])
def test_wanted_members_are_found_in_any_folder_and_order(tmp_path, pack):
    found = read(
        tmp_path,
        member("readme", b"r" * 600),
        member("some/folder", kind=tarfile.DIRTYPE),
        member("../../other", b"o" * 512),
        member("/absolute/wanted", b"w" * 513),
        pack=pack,
    )
    assert found == [("other", b"o" * 512), ("wanted", b"w" * 513)]
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar.gz"]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_the_forms_that_pythons_tarfile_writes_are_read(tmp_path, form):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as written:
        info = tarfile.TarInfo("folder/wanted")
        info.size, info.mtime = 5, 1.5
        written.addfile(info, io.BytesIO(b"12345"))
    assert read(tmp_path, buffer.getvalue(), end=b"") == [("wanted", b"12345")]


def test_place_names_archive_and_member(tmp_path):
    path = tmp_path / "a.tar"
    path.write_bytes(member("folder/wanted", b"1"))
    assert [place for _, place, _ in archive.wanted_members(path, WANTED, MOST)] == [f"{path}: folder/wanted"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_folders_and_devices_of_a_wanted_name_are_not_read(tmp_path, kind):
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    assert read(tmp_path, member("wanted", kind=kind, link=str(secret))) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:30] + bytes(20) + content[50:],
        lambda content: b"<html>please log in</html>",
        lambda content: b"x" * 600,
        lambda content: gzip.compress(b"no archive" * 1000),
        lambda content: gzip.decompress(content)[:700],
    ],
    ids=["half", "overwritten", "page", "noise", "no tar", "cut in a member"],
)
def test_a_damaged_archive_is_refused(tmp_path, damage):
    content = bytes(range(256)) * 3
    with pytest.raises(ValueError, match="a.tar.gz: .*(damaged|truncated)"):
        read(tmp_path, member("wanted", content), pack=lambda whole: damage(gzip.compress(whole)))


@pytest.fixture
def unfolded(monkeypatch):
    """How far into each archive its reader has come, in bytes."""
    places, open_any = [], archive.gzipped.open_any

    @contextlib.contextmanager
    def watched(path):
        with open_any(path) as file:
            try:
                yield file
            finally:
                places.append(file.tell())

    monkeypatch.setattr(archive.gzipped, "open_any", watched)
    return places


def assert_refused_at_once(unfolded, tmp_path, message, *members, **options):
    path = tmp_path / "a.tar.gz"
    path.write_bytes(options.pop("pack", gzip.compress)(b"".join(members)))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=f"a.tar.gz: {message}"):
            list(archive.wanted_members(path, WANTED, MOST))
        assert tracemalloc.get_traced_memory()[1] < 4 * MOST
    finally:
        tracemalloc.stop()
    assert len(unfolded) == 1 and unfolded[0] <= MOST


@pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K", b"S", b"0", b"7"])
def test_a_header_that_claims_gigabytes_is_refused(tmp_path, unfolded, kind):
    huge = member("wanted", bytes(10000), size=3 << 30, kind=kind)
    assert_refused_at_once(unfolded, tmp_path, r"refused: wanted has 3221225472 bytes, all members together", huge)


def test_a_negative_length_is_refused(tmp_path, unfolded):
    assert_refused_at_once(
        unfolded, tmp_path, "refused: a has -512 bytes", member("a", size=-512), member("wanted", b"1")
    )


def test_members_that_are_too_large_together_are_refused(tmp_path, unfolded):
    piece = member("piece", bytes(100_000))
    assert_refused_at_once(unfolded, tmp_path, "refused: piece has 100000 bytes, all members together", piece * 11)


def test_too_many_members_are_refused(tmp_path, unfolded):
    assert_refused_at_once(unfolded, tmp_path, "refused: an archive of more than 100 members", member("nothing") * 1000)


def test_a_wanted_member_that_is_too_large_is_refused(tmp_path, unfolded):
    assert_refused_at_once(
        unfolded, tmp_path, "refused: wanted has 1001 bytes, expected at most 1000", member("wanted", bytes(1001))
    )


def test_what_unfolds_behind_the_end_is_not_unfolded(tmp_path, unfolded):
    bomb = gzip.compress(member("wanted", b"1") + bytes(1024)) + gzip.compress(bytes(50 << 20)) * 10
    path = tmp_path / "a.tar.gz"
    path.write_bytes(bomb)
    assert [name for name, _, _ in archive.wanted_members(path, WANTED, MOST)] == ["wanted"]
    assert unfolded == [3 * archive.BLOCK]  # the header, the content, and the zeros that end it
