"""Reading HDF5 files as h5py writes them, without h5py.

An HDF5 file is a tree of groups with datasets (arrays) as its leaves; both may have attributes. Reading one with the
HDF5 library itself is no way to treat a file from somebody else: some damaged files keep it busy for ever. What Keras,
by way of h5py, writes is the oldest and simplest form of the format, which fits on these pages:

- The *superblock* at the beginning of the file says where the root group is.
- An *object header* is a list of *messages*: a dataset's type, shape and place; a group's table of links; attributes.
- A group's table is a *B-tree* whose leaves are blocks of entries (offset of the name in a *local heap*, address of the
  object header).
- Texts of variable length stand in *global heaps*.

Everything has an address, so a damaged file may point anywhere, also back at itself. Every piece is read once only,
within the file, and the arrays together are no larger than the file.

The format is documented in "HDF5 File Format Specification Version 3.0", The HDF Group.
"""

import math
import struct

import numpy as np

from scratchnet.files.bfloat16 import from_bfloat16

SIGNATURE = b"\x89HDF\r\n\x1a\n"

_NOWHERE = 2**64 - 1
_SHAPE, _TYPE, _PLACE, _FILTERS, _ATTRIBUTE, _CONTINUED, _LINKS = 0x01, 0x03, 0x08, 0x0B, 0x0C, 0x10, 0x11
_READS = 50  # how often, on the average, a byte of the file is read; headers are read two or three times
_NEWER = (0x02, 0x06)  # links without a tree
_MOST_MESSAGES, _MOST_OBJECTS, _MOST_AXES = 100_000, 1_000_000, 32
_FLOATS = {(2, 10): "f2", (2, 7): "bfloat16", (4, 23): "f4", (8, 52): "f8"}  # (bytes, bits of the mantissa)


def open_hdf5(file, size):
    """The root `Group` of an HDF5 file that is open for reading and has `size` bytes.

    Raises ValueError for what is no such file, and for one that uses newer or rarer parts of the format.
    """
    return Group(_File(file, size), None)


class Group:
    """A node of the tree: ``name in group``, ``group[name]``, ``list(group)``, ``group.attributes``."""

    def __init__(self, file, address):
        self._file = file
        messages = file.messages(file.root if address is None else address)
        self.attributes = _attributes(file, messages)
        tables = [data for kind, data in messages if kind == _LINKS]
        if len(tables) > 1:
            raise ValueError("a group with several tables of links")
        self._links = file.links(*struct.unpack_from("<QQ", tables[0])) if tables else {}
        self._opened = {}

    def __iter__(self):
        return iter(self._links)

    def __len__(self):
        return len(self._links)

    def __contains__(self, name):
        return name in self._links

    def __getitem__(self, path):
        """The group or dataset of that name, or path of names with slashes. Raises ValueError if there is none."""
        name, _, rest = path.strip("/").partition("/")
        if name not in self._links:
            raise ValueError(f"there is no {name!r}")
        if name not in self._opened:
            self._opened[name] = self._file.open(self._links[name])
        found = self._opened[name]
        if rest and not isinstance(found, Group):
            raise ValueError(f"{name!r} is no group")
        return found[rest] if rest else found

    def group(self, path):
        """The group of that name or path; an empty one if there is none."""
        found = self
        for name in path.strip("/").split("/"):
            if name not in found:
                return {}
            found = found[name]
            if not isinstance(found, Group):
                raise ValueError(f"{path!r} is no group")
        return found

    def dataset(self, path):
        """The dataset of that name or path. Raises ValueError if there is none."""
        found = self[path]
        if not isinstance(found, Dataset):
            raise ValueError(f"{path!r} is no array")
        return found


class Dataset:
    """An array in the file: `shape`, `dtype`, `attributes`, and `read`."""

    def __init__(self, file, messages):
        self._file = file
        self.attributes = _attributes(file, messages)
        found = dict(reversed(messages))
        if not {_SHAPE, _TYPE, _PLACE} <= found.keys() or _FILTERS in found:
            raise ValueError("an array that is compressed, or without type, shape or place")
        self.shape = _shape(found[_SHAPE])
        self._type, _ = _datatype(found[_TYPE])
        self._place = found[_PLACE]

    @property
    def size(self):
        return math.prod(self.shape)

    def read(self):
        """The array, a copy. bfloat16 becomes float32."""
        if not isinstance(self._type, np.dtype):
            return _texts(self._file, self._type, self.shape, self._content(self._type[1]))
        array = np.frombuffer(self._content(self._type.itemsize), self._type).reshape(self.shape)
        if self._type.metadata:  # it says bfloat16
            return from_bfloat16(array)
        return array.astype(self._type.newbyteorder("="))

    def _content(self, itemsize):
        length = self.size * itemsize
        version, kind = self._place[:2]
        if version not in (3, 4) or kind not in (0, 1):
            raise ValueError("an array in pieces, or in a form of the format that is not read")
        if kind == 0:  # it stands in the header itself
            stored = struct.unpack_from("<H", self._place, 2)[0]
            content = self._place[4 : 4 + stored]
        else:
            address, stored = struct.unpack_from("<QQ", self._place, 2)
            content = self._file.read(address, stored, whole_array=True) if length == stored and length else b""
        if length != stored or len(content) != length:
            raise ValueError(f"an array of shape {self.shape} that needs {length} bytes and has {stored}")
        return content


class _File:
    """The bytes of the file, read piece by piece."""

    def __init__(self, file, size):
        self._file, self._size = file, size
        self._left, self._left_for_arrays, self._objects, self._heaps = _READS * size, size, 0, {}
        start = self.read(0, 96) if size >= 96 else b""
        if start[:8] != SIGNATURE or start[8] not in (0, 1) or start[13:15] != b"\x08\x08":
            raise ValueError("it is no HDF5 file, or of a form of the format that is not read")
        at = 24 if start[8] == 0 else 28
        base, _, end, _ = struct.unpack_from("<QQQQ", start, at)
        if base != 0 or end > size:
            raise ValueError(f"it ends early: it has {size} bytes and should have {end}")
        self.root = struct.unpack_from("<Q", start, at + 40)[0]

    def read(self, address, length, whole_array=False):
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

    def open(self, address):
        """The Group or Dataset whose object header is there."""
        self._objects += 1
        if self._objects > _MOST_OBJECTS:
            raise ValueError("its groups contain one another")
        messages = self.messages(address)
        if any(kind == _LINKS for kind, _ in messages):
            return Group(self, address)
        return Dataset(self, messages)

    def messages(self, address):
        """The list of ``(kind, bytes)`` of an object header."""
        version, count, length = struct.unpack("<BxHxxxxI", self.read(address, 12))
        if version != 1:
            raise ValueError("a form of the format that is not read")
        blocks, seen, found = [(address + 16, length)], {address + 16}, []
        while blocks:
            start, length = blocks.pop(0)
            block, at = self.read(start, length), 0
            while at + 8 <= length and count > 0:
                kind, size, flags = struct.unpack_from("<HHB", block, at)
                data = block[at + 8 : at + 8 + size]
                if kind in _NEWER:
                    raise ValueError("a group in a form of the format that is not read")
                if len(data) != size or flags & 2 or len(found) > _MOST_MESSAGES:
                    raise ValueError("a message that is cut off, stored elsewhere, or one too many")
                found.append((kind, data))
                count, at = count - 1, at + 8 + size
                if kind == _CONTINUED:
                    where = struct.unpack_from("<QQ", data)
                    if where[0] in seen:
                        raise ValueError("a header that continues where it has been")
                    seen.add(where[0])
                    blocks.append(where)
        return found

    def links(self, tree, heap):
        """Dict from name to address of the objects in a group."""
        signature, length, _, names = struct.unpack("<4sxxxxQQQ", self.read(heap, 32))
        if signature != b"HEAP":
            raise ValueError("a group without names")
        names, found, waiting, seen = self.read(names, length), {}, [tree], set()
        while waiting:
            address = waiting.pop()
            if address in seen:
                raise ValueError("a tree that contains itself")
            seen.add(address)
            signature, count = struct.unpack("<4sxxH", self.read(address, 8))
            if signature == b"TREE":
                keys_and_children = self.read(address + 24, 16 * count)
                waiting.extend(struct.unpack_from("<Q", keys_and_children, 16 * k + 8)[0] for k in range(count))
            elif signature == b"SNOD":
                for name, header, kind, _ in struct.iter_unpack("<QQI20s", self.read(address + 8, 40 * count)):
                    end = names.find(b"\0", name)
                    if kind == 2 or end < 0 or header == _NOWHERE:
                        raise ValueError("a link that leads nowhere or out of the file")
                    found[names[name:end].decode()] = header
            else:
                raise ValueError("a tree that is none")
            if len(found) > _MOST_OBJECTS:
                raise ValueError("a group of too many objects")
        return dict(sorted(found.items()))

    def text(self, address, index, length):
        """The bytes of a text of variable length."""
        heaps = self._heaps
        if address not in heaps:
            signature, size = struct.unpack("<4sxxxxQ", self.read(address, 16))
            if signature != b"GCOL":
                raise ValueError("a heap of texts that is none")
            heap, at, heaps[address] = self.read(address, size), 16, {}
            while at + 16 <= size:
                number, stored = struct.unpack_from("<HxxxxxxQ", heap, at)
                if number == 0:
                    break
                heaps[address][number] = heap[at + 16 : at + 16 + stored]
                at += 16 + (stored + 7) // 8 * 8
        if length > len(heaps[address].get(index, b"")):
            raise ValueError("a text that is not there")
        return heaps[address][index][:length]


# ---- messages ----


def _shape(data):
    version, rank, flags, kind = struct.unpack_from("<BBBB", data)
    if version not in (1, 2) or rank > _MOST_AXES or (version == 2 and kind == 2):
        raise ValueError("an array without a proper shape")
    return struct.unpack_from(f"<{rank}Q", data, 8 if version == 1 else 4)


def _datatype(data):
    """``(type, length of the message)``: a dtype, or ("fixed", bytes) or ("variable", 16) for texts."""
    kind, order, bits, size = data[0] & 15, data[1] & 1, data[1], struct.unpack_from("<I", data, 4)[0]
    if kind == 0 and size in (1, 2, 4, 8):
        return np.dtype(f"{'>' if order else '<'}{'i' if bits & 8 else 'u'}{size}"), 12
    if kind == 1 and (size, data[15]) in _FLOATS and not bits & 64:
        code = _FLOATS[size, data[15]]
        if code == "bfloat16":
            return np.dtype(">u2" if order else "<u2", metadata={"bfloat16": True}), 20
        return np.dtype(f"{'>' if order else '<'}{code}"), 20
    if kind == 3 and size:
        return ("fixed", size), 8
    if kind == 9 and bits & 15 == 1 and size == 16:
        return ("variable", 16), len(data)
    if kind == 8:  # names for some values: h5py's truth values
        return _datatype(data[8:])[0], len(data)
    raise ValueError("an array of something else than numbers and texts")


def _attributes(file, messages):
    """Dict from name to the text, list of texts or array of an attribute; those of other kinds are left out."""
    found = {}
    for kind, data in messages:
        if kind != _ATTRIBUTE:
            continue
        version, flags, *sizes = struct.unpack_from("<BBHHH", data)
        if version not in (1, 2, 3) or (version > 1 and flags):
            raise ValueError("an attribute in a form of the format that is not read")
        at, parts = 9 if version == 3 else 8, []
        for size in sizes:
            parts.append(data[at : at + size])
            at += (size + 7) // 8 * 8 if version == 1 else size
        name = parts[0].split(b"\0")[0].decode()
        try:
            dtype, _ = _datatype(parts[1])
        except ValueError:
            continue
        shape, itemsize = _shape(parts[2]), dtype.itemsize if isinstance(dtype, np.dtype) else dtype[1]
        content = data[at : at + math.prod(shape) * itemsize]
        if len(content) != math.prod(shape) * itemsize:
            raise ValueError(f"the attribute {name!r} is cut off")
        if isinstance(dtype, np.dtype):
            found[name] = np.frombuffer(content, dtype).reshape(shape)
        else:
            found[name] = _texts(file, dtype, shape, content)
    return found


def _texts(file, dtype, shape, content):
    """A str (of a scalar) or a list of str."""
    kind, size = dtype
    if kind == "fixed":
        texts = [content[at : at + size].rstrip(b"\0") for at in range(0, len(content), size)]
    else:
        places = struct.iter_unpack("<IQI", content)
        texts = [file.text(where, index, length) if length else b"" for length, where, index in places]
    texts = [text.decode() for text in texts]
    return texts if shape else texts[0]
