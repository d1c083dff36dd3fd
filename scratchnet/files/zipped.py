"""Zip files from anywhere: each name once, and nothing larger than the file can honestly hold."""

import contextlib

# A member may be compressed (somebody unpacked a .keras file and packed it again), but weights hardly get smaller by
# it: what claims to unfold to more than this was made to fill a memory.
GROWTH, FREE = 20, 64 << 20
_MOST_MEMBERS = 100_000
LARGEST_TEXT = 64 << 20


class Members:
    """The members of an open zip file.

    Args:
        file: a binary file that can seek.
        size: its size in bytes.

    Raises ValueError (or zipfile.BadZipFile) for what is no such file, two members of one name, and sizes that the
    file cannot hold.
    """

    def __init__(self, file, size):
        import zipfile  # here, because most programs read no file: it takes longer to import than a dozen layers

        self._zip = zipfile.ZipFile(file)
        members = self._zip.infolist()
        if len(members) > _MOST_MEMBERS:
            raise ValueError(f"it has {len(members)} members")
        self.sizes, total = {}, 0
        for member in members:
            name = member.filename
            if name in self.sizes:
                raise ValueError(f"two of its members are named {name!r}")
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError(f"{name!r} is compressed in a way that is not read")
            if member.compress_type == zipfile.ZIP_STORED and member.compress_size != member.file_size:
                raise ValueError(f"{name!r} has {member.compress_size} bytes and says {member.file_size}")
            self.sizes[name] = member.file_size
            total += member.file_size
        if total > GROWTH * size + FREE:
            raise ValueError(f"its {size} bytes would unfold to {total}")

    @contextlib.contextmanager
    def open(self, name):
        """Open a member; at the end of the block it is read to its end, where the checksum is."""
        with self._zip.open(name) as entry:
            yield entry
            if entry.read(1):
                raise ValueError(f"{name!r} is longer than what it holds")

    def read(self, name):
        """The bytes of a member."""
        with self.open(name) as entry:
            data = entry.read()
        if len(data) != self.sizes[name]:
            raise ValueError(f"{name!r} ends early")
        return data

    def read_json(self, name):
        """The value of a member that is a JSON text."""
        import json

        if self.sizes[name] > LARGEST_TEXT:
            raise ValueError(f"the text {name!r} has {self.sizes[name]} bytes")
        return json.loads(self.read(name))
