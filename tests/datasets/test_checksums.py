"""Whether a file is the published one."""

import hashlib

import pytest

from scratchnet.datasets import checksums

CONTENT = b"a" * (checksums.CHUNK_BYTES + 1)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "some.npz"
    path.write_bytes(CONTENT)
    return path


@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_digest_is_of_the_whole_file(path, algorithm):
    assert checksums.digest(path, algorithm) == hashlib.new(algorithm, CONTENT).hexdigest()


@pytest.mark.parametrize("size", [None, len(CONTENT)])
def test_the_published_file_passes(path, size):
    checksums.check(path, hashlib.sha256(CONTENT).hexdigest(), size)
    checksums.check(path, hashlib.sha256(CONTENT).hexdigest().upper(), size)
    checksums.check(path, f"md5:{hashlib.md5(CONTENT).hexdigest()}", size)


def test_another_digest_is_refused(path):
    with pytest.raises(ValueError, match="some.npz: the content is not the published one: sha256 is .*, expected 00aa"):
        checksums.check(path, "00AA")
    with pytest.raises(ValueError, match="md5 is .*, expected 00aa"):
        checksums.check(path, "md5:00aa")


def test_another_length_is_refused_before_anything_is_read(path, monkeypatch):
    monkeypatch.setattr(checksums, "digest", None)
    with pytest.raises(ValueError, match=f"some.npz: .* {len(CONTENT)} bytes, expected 7"):
        checksums.check(path, "00aa", 7)


def test_bytes_are_compared_as_files_are():
    checksums.check_bytes(b"abc", "place", hashlib.sha256(b"abc").hexdigest())
    checksums.check_bytes(b"abc", "place", f"md5:{hashlib.md5(b'abc').hexdigest()}")
    with pytest.raises(ValueError, match="place: the content is not the published one: md5 is .*, expected 00"):
        checksums.check_bytes(b"abc", "place", "md5:00")
