"""Files of events, read back field by field."""

import struct

import numpy as np
import pytest

from scratchnet.files.events import EventWriter, _varint, checksum, masked_checksum


def fields(message):
    """``[(number, value), ...]`` of a message of Protocol Buffers; nested messages stay bytes."""
    found, place = [], 0

    def varint():
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(message):
        number, kind = divmod(varint(), 8)
        if kind == 0:
            found.append((number, varint()))
            continue
        size = {1: 8, 5: 4}.get(kind) or varint()
        data = message[place : place + size]
        place += size
        found.append((number, struct.unpack({1: "<d", 5: "<f"}[kind], data)[0] if kind in (1, 5) else data))
    return found


def events(path):
    """The messages of a file, whose lengths and checksums must be right."""
    data, found = path.read_bytes(), []
    while data:
        (size,) = struct.unpack("<Q", data[:8])
        message = data[12 : 12 + size]
        assert data[8:12] == struct.pack("<I", masked_checksum(data[:8]))
        assert data[12 + size : 16 + size] == struct.pack("<I", masked_checksum(message))
        found.append(dict(fields(message)))
        data = data[16 + size :]
    return found


def points(folder):
    """``{tag: [(step, value), ...]}`` of all files in a folder; of a histogram, its fields."""
    found = {}
    for path in sorted(folder.iterdir()):
        for event in events(path)[1:]:
            value = dict(fields(dict(fields(event[5]))[1]))
            number = value[2] if 2 in value else dict(fields(value[5]))
            found.setdefault(value[1].decode(), []).append((event[2], number))
    return found


def test_the_checksum_is_castagnolis():
    assert checksum(b"123456789") == 0xE3069283  # the check value of CRC-32C
    assert checksum(b"") == 0
    assert (
        masked_checksum(b"\x18" + bytes(7)) == struct.unpack("<I", b"\xa3\x7f\x4b\x22")[0]
    )  # length 24, by TensorFlow


@pytest.mark.parametrize(
    ("value", "expected"), [(0, b"\0"), (127, b"\x7f"), (300, b"\xac\x02"), (2**35, b"\x80" * 5 + b"\1")]
)
def test_whole_numbers_in_groups_of_seven_bits(value, expected):
    assert _varint(value) == expected


def test_curves_and_histograms(tmp_path):
    writer = EventWriter(str(tmp_path / "deep"))
    writer.scalar("loss", 0.5, 3)
    writer.scalar("loss", 0.25, 300)
    writer.histogram("weights", np.array([[0.0, 1.0], [1.0, 4.0]]), 7, bins=4)
    writer.close()
    (path,) = (tmp_path / "deep").iterdir()
    assert path.name.startswith("events.out.tfevents.")
    assert events(path)[0][3] == b"brain.Event:2"
    found = points(tmp_path / "deep")
    assert found["loss"] == [(3, 0.5), (300, 0.25)]
    ((step, histogram),) = found["weights"]
    assert step == 7
    assert [histogram[number] for number in range(1, 6)] == [0.0, 4.0, 4.0, 6.0, 18.0]
    assert np.frombuffer(histogram[6]).tolist() == [1, 2, 3, 4]
    assert np.frombuffer(histogram[7]).tolist() == [1, 2, 0, 1]


def test_two_writers_do_not_share_a_file(tmp_path):
    first, second = EventWriter(tmp_path), EventWriter(tmp_path)
    assert first.path != second.path
    first.close()
    second.close()
