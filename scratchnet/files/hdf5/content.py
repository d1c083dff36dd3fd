"""The bytes of an HDF5 file, read piece by piece: its beginning, and the headers of its objects."""

import struct

from scratchnet.files.zipped import FREE, GROWTH

SIGNATURE = b"\x89HDF\r\n\x1a\n"
NOWHERE = 2**64 - 1

SHAPE, LINKS_IN_HEAP, TYPE, LINK, PLACE, FILTERS = 0x01, 0x02, 0x03, 0x06, 0x08, 0x0B
ATTRIBUTE, CONTINUED, LINKS_IN_TABLE, ATTRIBUTES_IN_HEAP = 0x0C, 0x10, 0x11, 0x15

_READS = 50  # how often, on the average, a byte of the file is read; headers are read two or three times
_MOST_MESSAGES = 100_000
_WITH_TIMES, _WITH_NUMBERS, _IN_ORDER = 0x20, 0x10, 0x04  # flags of a newer header


class Content:
    """An open HDF5 file of `size` bytes.

    Raises ValueError for what is no such file, and for one of a form that h5py does not write.
    """

    def __init__(self, file, size):
        self._file, self._size = file, size
        self._left, self._left_for_arrays, self._left_unpacked = _READS * size, size, GROWTH * size + FREE
        start = self.read(0, min(size, 96))
        version = start[8] if start[:8] == SIGNATURE and size >= 48 else None
        if version in (0, 1):  # sizes of addresses and lengths, addresses of the base and the end, the root's entry
            sizes, base, end, root = start[13:15], 24 + 4 * version, 40 + 4 * version, 64 + 4 * version
        elif version in (2, 3):
            sizes, base, end, root = start[9:11], 12, 28, 36
        if version not in (0, 1, 2, 3) or sizes != b"\x08\x08":
            raise ValueError("it is no HDF5 file, or of a form of the format that is not read")
        (base,), (end,), (self.root,) = (struct.unpack_from("<Q", start, at) for at in (base, end, root))
        if base != 0 or end > size:
            raise ValueError(f"it ends early: it has {size} bytes and should have {end}")

    def read(self, address, length, whole_array=False):
        """The bytes there; what belongs to an array is counted apart."""
        if address + length > self._size:
            raise ValueError("it points beyond its end")
        self._left -= length
        if self._left < 0:
            raise ValueError("its parts overlap")
        if whole_array:
            self._left_for_arrays -= length
            if self._left_for_arrays < 0:
                raise ValueError("its arrays overlap")
        self._file.seek(address)
        return self._file.read(length)

    def unpack(self, format, address):
        """The values of a `struct` there."""
        return struct.unpack(format, self.read(address, struct.calcsize(format)))

    def reserve(self, length):
        """Count an array before it is unpacked. Raises ValueError if it is larger than the file can hold."""
        self._left_unpacked -= length
        if self._left_unpacked < 0:
            raise ValueError(f"its {self._size} bytes would unfold to more than {GROWTH} times as many")

    def messages(self, address):
        """The list of ``(kind, bytes)`` of an object header."""
        start = self.read(address, min(48, self._size - address if address < self._size else 48))
        newer = start[:4] == b"OHDR"
        if newer:
            flags, at, width = start[5], 6, 1 << (start[5] & 3)
            at += (16 if flags & _WITH_TIMES else 0) + (4 if flags & _WITH_NUMBERS else 0)
            length = int.from_bytes(start[at : at + width], "little")
            blocks, left = [(address + at + width, length)], _MOST_MESSAGES
            header, ordered = "<BHB", 2 if flags & _IN_ORDER else 0
        else:
            version, left, length = struct.unpack_from("<BxHxxxxI", start)
            blocks, header, ordered = [(address + 16, length)], "<HHBxxx", 0
        if (start[4] != 2) if newer else (version != 1):
            raise ValueError("a form of the format that is not read")
        seen, found = {blocks[0][0]}, []
        while blocks:
            start, length = blocks.pop(0)
            block, at = self.read(start, length), 0
            first = struct.calcsize(header) + ordered
            while at + first <= length and left > 0:
                kind, size, flags = struct.unpack_from(header, block, at)
                data = block[at + first : at + first + size]
                if len(data) != size or (flags & 2 and kind) or len(found) > _MOST_MESSAGES:
                    raise ValueError("a message that is cut off, stored elsewhere, or one too many")
                found.append((kind, data))
                left, at = left - 1, at + first + size
                if kind == CONTINUED:
                    where, size = struct.unpack_from("<QQ", data)
                    if where in seen:
                        raise ValueError("a header that continues where it has been")
                    seen.add(where)
                    if newer:  # a signature in front, a checksum behind
                        if size < 8 or self.read(where, 4) != b"OCHK":
                            raise ValueError("a header whose continuation is none")
                        where, size = where + 4, size - 8
                    blocks.append((where, size))
        return found
