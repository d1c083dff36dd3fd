"""The reader of idx files against whole, damaged and foreign ones."""

import gzip
import hashlib

import numpy as np
import pytest

from scratchnet.datasets import idx

SHAPE = (5, 4, 3)
VALUES = np.random.default_rng(1).integers(0, 256, SHAPE, dtype=np.uint8)
FILE = idx.header(SHAPE) + VALUES.tobytes()


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "some-images-idx3-ubyte.gz"
        path.write_bytes(content)
        return path

    return write


def test_header_is_the_published_one_of_mnist():
    assert idx.header((60000, 28, 28)).hex(" ") == "00 00 08 03 00 00 ea 60 00 00 00 1c 00 00 00 1c"


@pytest.mark.parametrize("pack", [gzip.compress, bytes], ids=["gzipped", "plain"])
def test_reads_both_forms_whatever_the_name(write, pack):
    array = idx.read_idx(write(pack(FILE)), SHAPE)
    assert array.dtype == np.uint8 and array.flags.writeable
    np.testing.assert_array_equal(array, VALUES)


@pytest.mark.parametrize("level", [0, 1, 9])
def test_checksum_is_of_the_content_however_it_is_compressed(write, level):
    path = write(gzip.compress(FILE, compresslevel=level))
    np.testing.assert_array_equal(idx.read_idx(path, SHAPE, hashlib.sha256(FILE).hexdigest()), VALUES)


def test_other_content_is_refused(write):
    changed = FILE[:-1] + bytes([FILE[-1] ^ 1])
    with pytest.raises(ValueError, match="some-images-idx3-ubyte.gz: the content is not the published one"):
        idx.read_idx(write(changed), SHAPE, hashlib.sha256(FILE).hexdigest())


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "begins with nothing"),
        (b"\0\0", "begins with 00 00, expected 00 00 08 03"),
        (b"<html>not here</html>", "not an idx file"),
        (b"\0\0\x0d" + FILE[3:], "not an idx file of unsigned bytes"),
        (FILE[:9], r"3 axes that begin with \[5\], expected the shape \(5, 4, 3\)"),
        (FILE[:-1], "truncated: .* 60 bytes of values, found 59"),
        (FILE + b"\0", "too long: .* 60 bytes of values, found more"),
        (idx.header((6, 4, 3)) + VALUES.tobytes(), r"begin with \[6, 4, 3\], expected the shape"),
        (idx.header((20, 3)) + VALUES.tobytes(), "2 axes"),
        (b"\0\0\x08\x03" + b"\xff" * 12, r"\[4294967295, 4294967295, 4294967295\], expected"),
        (gzip.compress(FILE, mtime=0)[:-9], "damaged or truncated gzip"),
        (gzip.compress(FILE, mtime=0)[:12], "damaged or truncated gzip"),
        (gzip.compress(FILE, mtime=0)[:-6] + b"\0" * 6, "damaged or truncated gzip"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\0" + b"\xff" * 20, "damaged or truncated gzip"),
        (b"\x1f\x8b garbage", "damaged or truncated gzip"),
    ],
)
def test_damaged_and_foreign_files_are_refused(write, content, message):
    with pytest.raises(ValueError, match=message):
        idx.read_idx(write(content), SHAPE)


def test_a_file_that_unpacks_to_gigabytes_is_not_unpacked(write, monkeypatch):
    path = write(gzip.compress(FILE + bytes(50_000_000)))
    taken = []
    read = gzip.GzipFile.read
    monkeypatch.setattr(gzip.GzipFile, "read", lambda file, size: taken.append(size) or read(file, size))
    with pytest.raises(ValueError, match="too long"):
        idx.read_idx(path, SHAPE)
    assert sum(taken) == len(FILE) + 1
