"""The tree of an HDF5 file: groups, and arrays as their leaves."""

import math
import struct

import numpy as np

from scratchnet.files.bfloat16 import from_bfloat16
from scratchnet.files.hdf5.chunks import Chunks, filters_of
from scratchnet.files.hdf5.content import (
    ATTRIBUTE,
    ATTRIBUTES_IN_HEAP,
    FILTERS,
    LINK,
    LINKS_IN_HEAP,
    LINKS_IN_TABLE,
    PLACE,
    SHAPE,
    TYPE,
    Content,
)
from scratchnet.files.hdf5.heaps import Heaps, link
from scratchnet.files.hdf5.messages import attribute, shape_of, texts, type_of

_MOST_OBJECTS = 1_000_000
_OF_GROUPS = (LINKS_IN_HEAP, LINK, LINKS_IN_TABLE)


def open_hdf5(file, size):
    """The root `Group` of an HDF5 file that is open for reading and has `size` bytes.

    Raises ValueError for what is no such file, and for one that uses rarer parts of the format.
    """
    tree = _Tree(Content(file, size))
    return Group(tree, tree.content.messages(tree.content.root))


class _Tree:
    """What all groups and arrays of a file share."""

    def __init__(self, content):
        self.content, self.heaps, self._objects = content, Heaps(content), 0

    def open(self, address):
        """The Group or Dataset whose object header is there."""
        self._objects += 1
        if self._objects > _MOST_OBJECTS:
            raise ValueError("its groups contain one another")
        messages = self.content.messages(address)
        return (Group if any(kind in _OF_GROUPS for kind, _ in messages) else Dataset)(self, messages)

    def attributes(self, messages):
        """Dict from name to the text, list of texts or array of an attribute; those of other kinds are left out."""
        listed = [data for kind, data in messages if kind == ATTRIBUTE]
        for kind, data in messages:
            if kind == ATTRIBUTES_IN_HEAP:
                listed += self.heaps.attributes_in_heap(data)
        found = dict(attribute(self.heaps, data) for data in listed)
        return {name: value for name, value in found.items() if value is not None}

    def links(self, messages):
        """Dict from name to address of what is in a group."""
        if sum(kind == LINKS_IN_TABLE for kind, _ in messages) > 1:
            raise ValueError("a group with several tables of links")
        found = {}
        for kind, data in messages:
            if kind == LINK:
                found.update([link(data)])
            elif kind in _OF_GROUPS:
                read = self.heaps.links_in_table if kind == LINKS_IN_TABLE else self.heaps.links_in_heap
                found.update(read(data))
        return dict(sorted(found.items()))


class Group:
    """A node of the tree: ``name in group``, ``group[name]``, ``list(group)``, ``group.attributes``."""

    def __init__(self, tree, messages):
        self._tree = tree
        self.attributes = tree.attributes(messages)
        self._links = tree.links(messages)
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
            self._opened[name] = self._tree.open(self._links[name])
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

    def __init__(self, tree, messages):
        self._tree = tree
        self.attributes = tree.attributes(messages)
        found = dict(reversed(messages))
        if not {SHAPE, TYPE, PLACE} <= found.keys():
            raise ValueError("an array without type, shape or place")
        self.shape = shape_of(found[SHAPE])
        self._type = type_of(found[TYPE])
        self._place, self._filters = found[PLACE], found.get(FILTERS)

    @property
    def size(self):
        return math.prod(self.shape)

    def read(self):
        """The array, a copy. bfloat16 becomes float32."""
        if not isinstance(self._type, np.dtype):
            return texts(self._tree.heaps, self._type, self.shape, self._bytes(self._type[1]))
        array = np.frombuffer(self._bytes(self._type.itemsize), self._type).reshape(self.shape)
        if self._type.metadata:  # it says bfloat16
            return from_bfloat16(array)
        return array.astype(self._type.newbyteorder("="))

    def _bytes(self, itemsize):
        content, length = self._tree.content, self.size * itemsize
        version, kind = self._place[:2]
        if version not in (3, 4, 5) or kind not in (0, 1, 2):
            raise ValueError("an array that is elsewhere, or in a form of the format that is not read")
        if kind == 2 and length:
            filters = filters_of(self._filters) if self._filters else []
            return Chunks(content, self._place, self.shape, filters).read(itemsize)
        if kind == 0:  # it stands in the header itself
            stored = struct.unpack_from("<H", self._place, 2)[0]
            data = self._place[4 : 4 + stored]
        else:
            address, stored = struct.unpack_from("<QQ", self._place, 2) if length else (0, 0)
            data = content.read(address, stored, whole_array=True) if length == stored and length else b""
        if length != stored or len(data) != length:
            raise ValueError(f"an array of shape {self.shape} that needs {length} bytes and has {stored}")
        return data
