"""Whether a file is gzipped is seen from its content."""

import gzip

import pytest

from scratchnet.datasets import gzipped


@pytest.mark.parametrize("name", ["a.gz", "a"])
@pytest.mark.parametrize("content", [b"the content", b"", b"\x1f"])
def test_both_forms_are_opened_whatever_the_name(tmp_path, name, content):
    for pack in (gzip.compress, bytes):
        (tmp_path / name).write_bytes(pack(content))
        with gzipped.open_any(tmp_path / name) as file:
            assert file.read() == content


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(b"content")[:-9],
        gzip.compress(b"content")[:-1] + b"!",
        b"\x1f\x8b garbage",
        b"\x1f\x8b\x08" + bytes(7) + b"\xff" * 9,
    ],
    ids=["cut off", "another length", "no header", "no block"],
)
def test_damages_are_what_reading_a_damaged_one_raises(tmp_path, content):
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(gzipped.DAMAGES), gzipped.open_any(tmp_path / "a.gz") as file:
        file.read()
