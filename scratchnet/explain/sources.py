"""Source as the page quotes it: where it stands, its text, and the lines that hold an equation."""

import functools
import inspect
import textwrap
from pathlib import Path

_ROOT = Path(__file__).parents[2]


class Sources:
    """Collects functions; each is quoted once. `entries` is the list for the page."""

    def __init__(self):
        self.entries = []
        self._ids = {}

    def add(self, function):
        """The id of a function's source, or None where there is none to be had."""
        function = inspect.unwrap(function)
        if isinstance(function, functools.partial):
            function = function.func
        key = getattr(function, "__code__", function)
        if key not in self._ids:
            entry = _entry(function)
            self._ids[key] = None if entry is None else len(self.entries)
            if entry is not None:
                self.entries.append(entry)
        return self._ids[key]

    def lines(self, function, snippet):
        """``(id, lines)``: the source, and the numbers (from 0) of the lines of the statement that begins with or holds
        `snippet`."""
        found = self.add(function)
        if found is None:
            return None, []
        text = self.entries[found]["text"].split("\n")
        first = next((k for k, line in enumerate(text) if snippet in line), None)
        return found, [] if first is None else list(range(first, _end(text, first) + 1))


def _entry(function):
    try:
        lines, first = inspect.getsourcelines(function)
        file = Path(inspect.getsourcefile(function))
    except (OSError, TypeError):  # typed into an interpreter, or compiled
        return None
    inside = file.is_relative_to(_ROOT / "scratchnet")
    text = textwrap.dedent("".join(lines)).rstrip("\n")
    # Somebody's own file by its name alone: the page must not tell where it lies.
    shown = file.relative_to(_ROOT).as_posix() if inside else file.name
    return {"file": shown, "name": getattr(function, "__qualname__", "?"), "line": first, "text": text}


def _end(text, first):
    """The last line of the statement that begins in line `first`: where its brackets are closed."""
    depth = 0
    for k in range(first, len(text)):
        code = text[k].split("  # ")[0]
        depth += sum(code.count(c) for c in "([{") - sum(code.count(c) for c in ")]}")
        if depth <= 0:
            break
    return k
