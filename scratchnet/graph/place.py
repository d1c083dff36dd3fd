"""Where the user's program was when it used an operation or a layer: for errors, and to say where a NaN came from."""

import linecache
import os
import sys
from typing import NamedTuple

_LIBRARY = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


class Place(NamedTuple):
    """A line of somebody's program."""

    file: str
    line: int
    function: str

    def __str__(self):
        text = linecache.getline(self.file, self.line).strip()
        return f'File "{self.file}", line {self.line}, in {self.function}' + (f": {text}" if text else "")


def users_place():
    """The innermost line on the stack that is not the library's own; the innermost of all, if all are."""
    first = frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_LIBRARY):
        frame = frame.f_back
    frame = first if frame is None else frame
    return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
