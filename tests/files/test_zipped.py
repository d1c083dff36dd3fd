"""Zip files that lie about their members."""

import io
import struct
import warnings
import zipfile

import pytest

from scratchnet.files import zipped
from scratchnet.files.zipped import Members


def archive(*members, compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as writer, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of two members of one name
        for name, content in members:
            writer.writestr(name, content)
    return file.getvalue()


def opened(content):
    return Members(io.BytesIO(content), len(content))


def with_size(content, size):
    """The same file, whose directory says that its only member unfolds to so many bytes."""
    entry = content.rindex(b"PK\x01\x02")
    return content[: entry + 24] + struct.pack("<I", size) + content[entry + 28 :]


def test_members_are_read_as_they_are():
    members = opened(archive(("a", b"abc"), ("b.json", b'{"x": 1}'), compression=zipfile.ZIP_DEFLATED))
    assert members.sizes == {"a": 3, "b.json": 8} and members.read("a") == b"abc"
    assert members.read_json("b.json") == {"x": 1}


def test_members_that_cannot_be_are_refused(monkeypatch):
    with pytest.raises(ValueError, match="two of its members are named 'a'"):
        opened(archive(("a", b"1"), ("a", b"2")))
    with pytest.raises(ValueError, match="compressed in a way that is not read"):
        opened(archive(("a", b"1"), compression=zipfile.ZIP_LZMA))
    with pytest.raises(ValueError, match="'a' has 3 bytes and says 4"):
        opened(with_size(archive(("a", b"abc")), 4))
    with pytest.raises(ValueError, match="would unfold to 4000000000"):
        opened(with_size(archive(("a", b"abc"), compression=zipfile.ZIP_DEFLATED), 4_000_000_000))
    monkeypatch.setattr(zipped, "_MOST_MEMBERS", 1)
    with pytest.raises(ValueError, match="it has 2 members"):
        opened(archive(("a", b""), ("b", b"")))


def test_a_member_that_is_shorter_or_longer_than_it_says_is_refused(monkeypatch):
    packed = archive(("a", b"abcd" * 9), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match="'a' ends early"):
        opened(with_size(packed, 50)).read("a")
    with pytest.raises(ValueError, match="'a' is longer than what it holds"):
        with opened(packed).open("a") as entry:
            entry.read(4)
    monkeypatch.setattr(zipped, "LARGEST_TEXT", 10)
    with pytest.raises(ValueError, match="the text 'a' has 36 bytes"):
        opened(packed).read_json("a")
