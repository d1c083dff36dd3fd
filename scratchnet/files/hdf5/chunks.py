"""Arrays in pieces (chunks), each of which may be shuffled and compressed."""

import itertools
import math
import struct
import zlib

import numpy as np

from scratchnet.files.hdf5 import lzf
from scratchnet.files.hdf5.content import NOWHERE

_DEFLATE, _SHUFFLE, _CHECKSUM, _LZF = 1, 2, 3, 32000
_NAMES = {4: "szip", 5: "nbit", 6: "scaleoffset", 32001: "blosc", 32004: "lz4", 32015: "zstd"}
_SINGLE, _IMPLICIT, _FIXED = 1, 2, 3  # how the newer form finds the pieces


def filters_of(message):
    """The list of ``(filter, its numbers)`` in the order in which they were applied.

    Raises ValueError for a filter that is not undone here, by name.
    """
    version, count = message[0], message[1]
    at, found = 8 if version == 1 else 2, []
    for _ in range(count):
        number = struct.unpack_from("<H", message, at)[0]
        named = version == 1 or number >= 256
        length = struct.unpack_from("<H", message, at + 2)[0] if named else 0
        flags, values = struct.unpack_from("<HH", message, at + (4 if named else 2))
        at += 8 if named else 6
        at += (length + 7) // 8 * 8 if version == 1 else length
        numbers = struct.unpack_from(f"<{values}I", message, at)
        at += 4 * values + (4 if version == 1 and values % 2 else 0)
        if number not in (_DEFLATE, _SHUFFLE, _CHECKSUM, _LZF):
            raise ValueError(f"an array that is compressed by {_NAMES.get(number, f'the filter {number}')}")
        found.append((number, numbers))
    return found


class Chunks:
    """The pieces of an array.

    Args:
        content: the file's `Content`.
        place: the message that says where the array is.
        shape: the array's.
        filters: what `filters_of` says.
    """

    def __init__(self, content, place, shape, filters):
        self._content, self._shape, self._filters = content, shape, filters
        rank = len(shape)
        if place[0] == 3:
            axes, tree = struct.unpack_from("<BQ", place, 2)
            *self._chunk, itemsize = struct.unpack_from(f"<{axes}I", place, 11)
        else:
            flags, axes, width = place[2:5]
            end = 5 + axes * width
            *self._chunk, itemsize = (int.from_bytes(place[at : at + width], "little") for at in range(5, end, width))
            if flags & 1:
                raise ValueError("an array in pieces of which some are compressed and some are not")
        if axes != rank + 1 or min(self._chunk, default=0) < 1:
            raise ValueError("an array whose pieces have other axes")
        self._counts = [-(-n // k) for n, k in zip(shape, self._chunk)]
        self._length = math.prod(self._chunk) * itemsize  # of a piece in bytes
        content.reserve(math.prod(self._counts) * max(self._length, 1))  # before anything is made
        self._pieces = dict(self._in_tree(tree) if place[0] == 3 else self._in_row(place[1:], end - 1))
        if len(self._pieces) != math.prod(self._counts):
            raise ValueError("an array of which pieces are missing")

    def read(self, itemsize):
        """The bytes of the array."""
        if math.prod(self._chunk) * itemsize != self._length:
            raise ValueError("an array whose pieces are of another type")
        array = np.empty((*self._shape, itemsize), np.uint8)
        for start in self._starts():
            piece = np.frombuffer(self._piece(*self._pieces[start]), np.uint8).reshape(*self._chunk, itemsize)
            target = array[tuple(slice(at, at + k) for at, k in zip(start, self._chunk))]
            target[...] = piece[tuple(slice(n) for n in target.shape)]
        return array.tobytes()

    def _piece(self, address, stored, left_out):
        """The bytes of a piece: all filters that were applied are undone, the last one first."""
        data = self._content.read(address, stored, whole_array=True)
        for k in reversed(range(len(self._filters))):
            kind, numbers = self._filters[k]
            if left_out >> k & 1:
                continue
            if kind == _CHECKSUM:
                data = data[:-4]
            elif kind == _DEFLATE:
                unpacked = zlib.decompressobj()
                data = unpacked.decompress(data, self._length + 5)  # the checksum may be within
            elif kind == _LZF:
                data = lzf.unpacked(data, self._length + 4)
            else:
                size = numbers[0] if numbers else 1
                whole = len(data) // size * size
                data = np.frombuffer(data[:whole], np.uint8).reshape(size, -1).T.tobytes() + data[whole:]
        if len(data) != self._length:
            raise ValueError(f"a piece of an array has {len(data)} bytes and should have {self._length}")
        return data

    def _starts(self):
        return itertools.product(*(range(0, n, k) for n, k in zip(self._shape, self._chunk)))

    def _in_tree(self, tree):
        """The pieces ``(start, (address, bytes, filters left out))`` that a B-tree of the older form lists."""
        rank, waiting, seen = len(self._shape), [tree], set()
        entry = struct.Struct(f"<II{rank}QQQ")
        while waiting:
            address = waiting.pop()
            if address in seen:
                raise ValueError("a tree that contains itself")
            seen.add(address)
            signature, kind, level, count = self._content.unpack("<4sBBH", address)
            if signature != b"TREE" or kind != 1:
                raise ValueError("a damaged tree")
            for stored, left_out, *start, _, child in entry.iter_unpack(
                self._content.read(address + 24, count * entry.size)
            ):
                if level:
                    waiting.append(child)
                else:
                    yield tuple(start), (child, stored, left_out)

    def _in_row(self, place, at):
        """The pieces, if they are found without a tree; their number is known, and they lie in order."""
        kind, at, filtered = place[at], at + 1, bool(self._filters)
        if kind == _SINGLE:
            stored, left_out = struct.unpack_from("<QI", place, at) if filtered else (self._length, 0)
            address = struct.unpack_from("<Q", place, at + (12 if filtered else 0))[0]
            return [((0,) * len(self._shape), (address, stored, left_out))]
        if kind == _IMPLICIT:
            address = struct.unpack_from("<Q", place, at)[0]
            return [(start, (address + k * self._length, self._length, 0)) for k, start in enumerate(self._starts())]
        if kind == _FIXED:
            return zip(self._starts(), self._in_table(struct.unpack_from("<Q", place, at + 1)[0]))
        raise ValueError("an array that can grow, in the newest form of the format")

    def _in_table(self, address):
        """The pieces that a *fixed array* lists: a block of entries, in pages with a checksum each if they are many."""
        signature, filtered, size, page_bits, count, block = self._content.unpack("<4sxBBBQQ", address)
        if signature != b"FAHD" or filtered != bool(self._filters) or size < 8 or count != math.prod(self._counts):
            raise ValueError("a damaged table of pieces")
        if self._content.read(block, 4) != b"FADB":
            raise ValueError("a damaged table of pieces")
        in_page = 1 << min(page_bits, 60)
        at, pages = block + 14, -(-count // in_page)
        if pages > 1:
            at += -(-pages // 8) + 4  # which pages there are, and a checksum
        for first in range(0, count, in_page):
            entries = self._content.read(at, min(in_page, count - first) * size)
            at += len(entries) + 4
            for k in range(0, len(entries), size):
                where, rest = int.from_bytes(entries[k : k + 8], "little"), entries[k + 8 : k + size]
                if where == NOWHERE:
                    raise ValueError("an array of which pieces are missing")
                stored = int.from_bytes(rest[:-4], "little") if filtered else self._length
                yield where, stored, int.from_bytes(rest[-4:], "little") if filtered else 0
