"""The members of a folder, asked for as those of a zip file: what Keras writes with ``zipped=False``."""

import json
import os

from scratchnet.files.reading import blaming
from scratchnet.files.replace import replacing
from scratchnet.files.zipped import LARGEST_TEXT


class Folder:
    """The files below a folder, by their paths in it; links are not followed."""

    def __init__(self, path):
        self._path, self.sizes = path, {}
        for above, _, names in os.walk(path):
            for name in names:
                found = os.path.join(above, name)
                if os.path.isfile(found) and not os.path.islink(found):
                    self.sizes[os.path.relpath(found, path).replace(os.sep, "/")] = os.path.getsize(found)

    def read(self, name):
        """The bytes of a member."""
        with open(os.path.join(self._path, *name.split("/")), "rb") as file:
            return file.read()

    def read_json(self, name):
        """The value of a member that is a JSON text."""
        if self.sizes[name] > LARGEST_TEXT:
            raise ValueError(f"the text {name!r} has {self.sizes[name]} bytes")
        return json.loads(self.read(name))


def write_folder(path, members, overwrite=True):
    """Write `members`, a dict from path in the folder to bytes or text, each file all or not at all.

    Raises FileExistsError if there is such a folder with something in it and `overwrite` is false.
    """
    path = os.fsdecode(path)
    if not overwrite and os.path.isdir(path) and os.listdir(path):
        raise FileExistsError(f"{path} exists; overwrite=True replaces it")
    for name, content in members.items():
        target = os.path.join(path, *name.split("/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with replacing(target) as file:
            file.write(content.encode() if isinstance(content, str) else content)


def reading_folder(path, kind):
    """The block in which whatever goes wrong is a ValueError that names the folder."""
    return blaming(path, f"is damaged or not a {kind}")
