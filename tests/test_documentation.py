"""What README and docs show: code runs, what it prints is what stands there, quoted source stands in the source.

A block of Python runs together with the earlier ones of its page, in a folder of its own. A comment in front of a block
says what else it is: ``<!-- from scratchnet/x.py -->`` quotes that file (a line of ``...`` leaves something out), and
``<!-- prints -->`` is what the block before it prints.
"""

import contextlib
import importlib
import io
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

import pytest

from scratchnet.names import clear_names

ROOT = Path(__file__).parents[1]
PAGES = [path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")] if path.parent.name != "museum"]
PAGES = sorted(path for path in PAGES if "```python" in path.read_text(encoding="utf-8"))
NUMBER = re.compile(r"-?\d+\.?\d*(?:e[-+]?\d+)?")


class Block(NamedTuple):
    line: int
    language: str
    code: str
    remark: str  # the text of the comment in front of it


def blocks(text):
    """The fenced blocks of a page, in order."""
    found = []
    fence = r"(?:<!-- ([^\n]*) -->\n+)?^ *```(\w+)\n(.*?)^ *```\n"
    for match in re.finditer(fence, text, re.DOTALL | re.MULTILINE):
        remark, language, code = match.groups()
        line = text.count("\n", 0, match.start(2)) + 1
        found.append(Block(line, language, textwrap.dedent(code), remark or ""))
    return found


def same_but_for_last_digits(shown, printed):
    """Whether two texts agree, numbers to four digits and errors of rounding (below 1e-6) by being one."""

    def alike(a, b):
        a, b = float(a), float(b)
        return abs(a - b) <= 1e-4 * max(abs(a), abs(b)) or max(abs(a), abs(b)) < 1e-6

    words, others = NUMBER.split(shown), NUMBER.split(printed)
    numbers = zip(NUMBER.findall(shown), NUMBER.findall(printed))
    return [w.split() for w in words] == [w.split() for w in others] and all(alike(a, b) for a, b in numbers)


def is_quoted(code, source):
    """Whether the pieces of `code` stand in `source` one behind the other, whatever their indentation."""

    def lines(text):
        return "".join(f"{line.strip()}\n" for line in text.splitlines() if line.strip())

    place, source = 0, lines(source)
    for piece in re.split(r"^\s*\.\.\.$", textwrap.dedent(code), flags=re.MULTILINE):
        place = source.find(lines(piece), place)
        if place < 0:
            return False
    return True


@pytest.fixture
def small_data(monkeypatch):
    module = importlib.import_module("scratchnet.datasets.mnist")
    (x, y), (x_test, y_test) = module.load_sample()
    monkeypatch.setattr(module, "load_sample", lambda: ((x[:512], y[:512]), (x_test[:128], y_test[:128])))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_code_of_a_page_does_what_the_page_says(page, small_data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    clear_names()  # a page begins where a new program begins
    names, printed = {"__name__": "page"}, ""
    for block in blocks(page.read_text(encoding="utf-8")):
        where = f"{page.name}:{block.line}"
        if block.remark.startswith("from "):
            source = ROOT / block.remark.removeprefix("from ")
            assert is_quoted(block.code, source.read_text(encoding="utf-8")), f"{where} is no longer in {source.name}"
        elif block.remark == "prints":
            assert same_but_for_last_digits(block.code, printed), f"{where}: it prints\n{printed}"
        elif block.language == "python":
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(compile("\n" * block.line + block.code, str(page), "exec"), names)
            printed = output.getvalue()


def session(text):
    """``[(what is typed, what comes back), ...]`` of a session with pdb; paths and lines of code are left out."""
    text = re.sub(r"\S+/|:\d+$|\(\d+\)(?=\w+\(\)|<module>)", "", textwrap.dedent(text), flags=re.MULTILINE)
    return [tuple(part.partition("\n")[::2]) for part in text.split("(Pdb) ")[1:]]


def test_the_session_with_the_debugger_is_what_readme_shows(tmp_path):
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    program, shown = re.search(
        r"With `step.py` as\n\n```python\n(.*?)```.*?\n((?:    [^\n]*\n)+)", page, re.DOTALL
    ).groups()
    (tmp_path / "step.py").write_text(program, encoding="utf-8")
    typed = [command for command, _ in session(shown)]
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "SCRATCHNET_BACKEND": "loops"}
    command = [sys.executable, "-m", "pdb", "step.py"]
    done = subprocess.run(
        command, input="\n".join(typed) + "\n", cwd=tmp_path, env=settings, capture_output=True, text=True, check=False
    )
    answers = [answer for answer in done.stdout.split("(Pdb) ")[1:-1]]
    found = session("".join(f"(Pdb) {c}\n{answer}" for c, answer in zip(typed, answers)))
    assert len(typed) == len(answers) > 10
    for (said, expected), (_, printed) in zip(session(shown), found):
        assert same_but_for_last_digits(expected, printed), f"after {said!r} it prints\n{printed}"


def test_blocks_have_their_language_and_their_remark():
    page = "a\n\n<!-- prints -->\n```text\n1\n```\n\n```python\nx = 1\n```\n"
    assert blocks(page) == [Block(4, "text", "1\n", "prints"), Block(8, "python", "x = 1\n", "")]


def test_prints_and_quotes_are_compared():
    assert same_but_for_last_digits("a 1.23456 and 1e-12", "a  1.23457\nand 3e-13")
    assert not same_but_for_last_digits("a 1.234", "a 1.235") and not same_but_for_last_digits("a 1", "b 1")
    assert is_quoted("x = 1\n...\ny = 2\n", "def f():\n    x = 1\n    z = 3\n    y = 2\n")
    assert not is_quoted("y = 2\n...\nx = 1\n", "x = 1\ny = 2\n")
