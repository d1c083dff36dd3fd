"""Files of events, which TensorBoard draws curves and histograms from.

A file is a row of records, each of them

    length (uint64), its checksum (uint32), an event (`length` bytes), its checksum (uint32)

and an event is a message of Protocol Buffers: a row of fields, each a key ``8 number + wire type`` followed by a value.
Here are the few messages that curves and histograms need (tensorflow/core/util/event.proto, .../summary.proto):

    Event      1: wall_time (double)   2: step (int64)   3: file_version (string)   5: summary (Summary)
    Summary    1: value (Value, repeated)
    Value      1: tag (string)   2: simple_value (float)   5: histo (HistogramProto)
    HistogramProto   1: min   2: max   3: num   4: sum   5: sum_squares (doubles)
                     6: bucket_limit   7: bucket (rows of doubles)

The checksum is CRC-32C (Castagnoli 1993), turned and shifted so that a checksum of something that holds checksums
differs.
"""

import itertools
import os
import socket
import struct
import time

import numpy as np

_count = itertools.count()


class EventWriter:
    """Writes events into a new file in `folder`, made if need be."""

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.{next(_count)}.v2"
        self.path = os.path.join(folder, name)
        self._file = open(self.path, "xb")
        self._write(_bytes(3, b"brain.Event:2"))

    def scalar(self, tag, value, step):
        """A point of the curve `tag`."""
        self._add(tag, _float(2, value), step)

    def histogram(self, tag, values, step, bins=30):
        """How the values of an array were distributed at `step`."""
        values = np.ravel(values).astype(np.float64)
        counts, edges = np.histogram(values, bins)
        message = b"".join(
            _double(number, value)
            for number, value in enumerate((values.min(), values.max(), values.size, values.sum(), values @ values), 1)
        )
        message += _bytes(6, edges[1:].astype("<f8").tobytes())  # the upper limit of each bucket
        message += _bytes(7, counts.astype("<f8").tobytes())
        self._add(tag, _bytes(5, message), step)

    def flush(self):
        self._file.flush()

    def close(self):
        self._file.close()

    def _add(self, tag, value, step):
        value = _bytes(1, tag.encode()) + value
        self._write(_integer(2, step) + _bytes(5, _bytes(1, value)))

    def _write(self, event):
        event = _double(1, time.time()) + event
        length = struct.pack("<Q", len(event))
        for part in (length, event):
            self._file.write(part + struct.pack("<I", masked_checksum(part)))


# ---- fields of a message ----


def _varint(value):
    """A whole number in groups of seven bits, the lowest first; the eighth says that more follow."""
    groups = bytearray()
    while value >= 128:
        groups.append(value & 127 | 128)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def _integer(number, value):
    return _varint(8 * number) + _varint(value)


def _double(number, value):
    return _varint(8 * number + 1) + struct.pack("<d", value)


def _bytes(number, value):
    return _varint(8 * number + 2) + _varint(len(value)) + value


def _float(number, value):
    return _varint(8 * number + 5) + struct.pack("<f", value)


# ---- the checksum ----


def _table():
    """For each byte the remainder of its division by Castagnoli's polynomial, bits in reverse."""
    remainders = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        remainders.append(byte)
    return remainders


_REMAINDERS = _table()


def checksum(data):
    """CRC-32C of `data`."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _REMAINDERS[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def masked_checksum(data):
    """The checksum as it stands in a file: turned by 15 bits, and a constant added."""
    crc = checksum(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
