"""Lists of links, attributes and texts that are kept outside of an object's header."""

import struct

from scratchnet.files.hdf5.content import NOWHERE

_MOST_OBJECTS = 1_000_000
_OF_HUGE, _OF_NAMED_LINKS, _OF_NAMED_ATTRIBUTES = 1, 5, 8  # kinds of trees
_SOFT = 1


class Heaps:
    """The heaps of a `content`."""

    def __init__(self, content):
        self._content, self._texts = content, {}

    def text(self, address, index, length):
        """The bytes of a text of variable length, from a *global heap*: numbered texts one behind the other."""
        if address not in self._texts:
            signature, size = self._content.unpack("<4sxxxxQ", address)
            if signature != b"GCOL":
                raise ValueError("a damaged heap of texts")
            heap, at, found = self._content.read(address, size), 16, {}
            while at + 16 <= size:
                number, stored = struct.unpack_from("<HxxxxxxQ", heap, at)
                if number == 0:
                    break
                found[number] = heap[at + 16 : at + 16 + stored]
                at += 16 + (stored + 7) // 8 * 8
            self._texts[address] = found
        if length > len(self._texts[address].get(index, b"")):
            raise ValueError("a text that is not there")
        return self._texts[address][index][:length]

    # ---- of the older form ----

    def links_in_table(self, message):
        """Dict from name to address of the objects in a group: a tree of entries, their names in a *local heap*."""
        tree, heap = struct.unpack_from("<QQ", message)
        signature, length, _, names = self._content.unpack("<4sxxxxQQQ", heap)
        if signature != b"HEAP":
            raise ValueError("a group without names")
        names, found, waiting, seen = self._content.read(names, length), {}, [tree], set()
        while waiting:
            address = waiting.pop()
            if address in seen:
                raise ValueError("a tree that contains itself")
            seen.add(address)
            signature, count = self._content.unpack("<4sxxH", address)
            if signature == b"TREE":
                keys_and_children = self._content.read(address + 24, 16 * count)
                waiting.extend(struct.unpack_from("<Q", keys_and_children, 16 * k + 8)[0] for k in range(count))
            elif signature == b"SNOD":
                entries = self._content.read(address + 8, 40 * count)
                for name, header, kind, _ in struct.iter_unpack("<QQI20s", entries):
                    end = names.find(b"\0", name)
                    if kind == 2 or end < 0 or header == NOWHERE:
                        raise ValueError("a link that leads nowhere or out of the file")
                    found[names[name:end].decode()] = header
            else:
                raise ValueError("a damaged tree")
            if len(found) > _MOST_OBJECTS:
                raise ValueError("a group of too many objects")
        return found

    # ---- of the newer form ----

    def links_in_heap(self, message):
        """Dict from name to address; the message says where, or that all links stand in the header."""
        return dict(link(data) for data in self._objects(message, 8 if message[1] & 1 else 0, _OF_NAMED_LINKS))

    def attributes_in_heap(self, message):
        """The messages of attributes that the header of their object has no room for."""
        return self._objects(message, 2 if message[1] & 1 else 0, _OF_NAMED_ATTRIBUTES)

    def _objects(self, message, skipped, kind):
        heap, names = struct.unpack_from("<QQ", message, 2 + skipped)
        if heap == NOWHERE:
            return []
        heap = _FractalHeap(self._content, heap)
        # a link's record is its name's hash and its place in the heap, an attribute's begins with its place
        at = 4 if kind == _OF_NAMED_LINKS else 0
        return [heap.read(record[at : at + heap.id_length]) for record in records(self._content, names, kind)]


def link(data):
    """``(name, address)`` of a message that is a link."""
    version, flags, at, kind = data[0], data[1], 2, 0
    if flags & 8:
        kind, at = data[2], 3
    at += (8 if flags & 4 else 0) + (1 if flags & 16 else 0)
    width = 1 << (flags & 3)
    length = int.from_bytes(data[at : at + width], "little")
    name = data[at + width : at + width + length]
    if version != 1 or kind or len(name) != length:
        raise ValueError("a link that leads nowhere or out of the file")
    return name.decode(), struct.unpack_from("<Q", data, at + width + length)[0]


def records(content, address, kind):
    """All records of a *version 2 B-tree*, bytes each, in order of leaves and inner nodes as they come."""
    signature, found, node_size, size, depth, root, count, total = content.unpack("<4sxBIHHxxQHQ", address)
    if signature != b"BTHD" or found != kind or size == 0 or total > _MOST_OBJECTS or depth > 20:
        raise ValueError("a damaged tree")
    # A node says of each child how many records it has, and how many there are below it, in as few bytes as will do.
    most = [(node_size - 10) // size]
    count_width, widths = _width(most[0]), [0]
    for _ in range(depth):
        pointer = 8 + count_width + widths[-1]
        own = (node_size - 10 - pointer) // (size + pointer)
        most.append((own + 1) * most[-1] + own)
        widths.append(_width(most[-1]))
    waiting, left = [(root, count, depth)], total
    while waiting:
        address, count, depth = waiting.pop()
        left -= count
        if left < 0 or content.read(address, 4) != (b"BTIN" if depth else b"BTLF"):
            raise ValueError("a damaged tree")
        node = content.read(address + 6, count * size)
        yield from (node[at : at + size] for at in range(0, count * size, size))
        if depth:
            pointer = 8 + count_width + widths[depth - 1]
            node = content.read(address + 6 + count * size, (count + 1) * pointer)
            for at in range(0, len(node), pointer):
                child = struct.unpack_from("<Q", node, at)[0]
                below = int.from_bytes(node[at + 8 : at + 8 + count_width], "little")
                waiting.append((child, below, depth - 1))


def _width(number):
    """How many bytes a number takes."""
    return max(1, (max(number, 0).bit_length() + 7) // 8)


class _FractalHeap:
    """Objects in blocks that double in size.

    Objects have an address in one long row. The row is cut into blocks: `width` of the first size, `width` of the same
    size, `width` of twice that, and so on; rows of blocks too large to be read at once consist of such tables again.
    """

    def __init__(self, content, address):
        self._content = content
        values = content.unpack("<4sBHHBIQQQQQQQQQQQQHQQHHQH", address)
        signature, _, self.id_length, filters, _, largest_object, _, self._tree_of_huge = values[:8]
        self._width, self._first, self._largest, bits, _, self._root, self._rows = values[18:]
        if signature != b"FRHP" or filters or min(self._width, self._first, self._largest) < 1 or bits > 64:
            raise ValueError("a heap of links or attributes that is damaged or compressed")
        self._offset_width = (bits + 7) // 8
        length_width = min((self._largest.bit_length() - 1 + 7) // 8, _width(largest_object))
        self._length_width, self._huge = length_width, None

    def read(self, place):
        """The bytes of an object, given its id."""
        kind = place[0] >> 4
        if kind == 0:
            offset = int.from_bytes(place[1 : 1 + self._offset_width], "little")
            end = 1 + self._offset_width + self._length_width
            length = int.from_bytes(place[1 + self._offset_width : end], "little")
            return self._content.read(self._address(offset), length)
        if kind == 1:  # too large for a block
            if self._huge is None:
                found = (struct.unpack("<QQQ", r) for r in records(self._content, self._tree_of_huge, _OF_HUGE))
                self._huge = {number: (where, length) for where, length, number in found}
            number = int.from_bytes(place[1:], "little")
            if number not in self._huge:
                raise ValueError("an attribute that is not there")
            return self._content.read(*self._huge[number])
        raise ValueError("a heap of links or attributes in a form that is not read")

    def _address(self, offset):
        block, rows = self._root, self._rows
        while rows:  # the block is a table of blocks
            if self._content.read(block, 4) != b"FHIB":
                raise ValueError("a damaged heap of links or attributes")
            row = (offset // (self._first * self._width)).bit_length()
            size = self._first << max(row - 1, 0)  # of each block of the row
            if row:
                offset -= size * self._width
            column, offset = divmod(offset, size)
            if row >= rows:
                raise ValueError("a link or attribute beyond its heap")
            entry = block + 13 + self._offset_width + 8 * (row * self._width + column)
            block = self._content.unpack("<Q", entry)[0]
            rows = 0 if size <= self._largest else (size // (self._first * self._width)).bit_length()
        return block + offset
