"""What the text of the project keeps: files to be read in one go, no advice to install another's package."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "scratchnet").rglob("*.py"))
TEXTS = [
    path
    for folder in ("scratchnet", "tests", "benches", "examples", "docs")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".md")
] + list(ROOT.glob("*.md"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_can_be_read_in_one_go_and_says_what_it_is(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 450
    assert lines[0].startswith('"""')


def test_nobody_is_told_to_install_the_package_that_has_our_name():
    advice = re.compile(r"pip install [^\n`]*\bscratchnet\b(?!-numpy)|\bscratchnet" + r"\[")
    found = [path.relative_to(ROOT) for path in TEXTS if advice.search(path.read_text(encoding="utf-8"))]
    assert found == []
