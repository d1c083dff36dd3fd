"""Every bug of the museum is caught, and it is the bug that is caught."""

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("exhibits", Path(__file__).with_name("exhibits.py"))
museum = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(museum)

EVERY_EXHIBIT = pytest.mark.parametrize("exhibit", museum.EXHIBITS, ids=lambda exhibit: exhibit.title)


@EVERY_EXHIBIT
def test_the_bug_is_caught(exhibit):
    assert museum.objection(exhibit) is not None


@EVERY_EXHIBIT
def test_without_the_bug_the_same_check_has_no_objection(exhibit):
    assert museum.objection(exhibit._replace(wrong=lambda right: right)) is None


def test_the_command_shows_them_all(capsys):
    assert museum.main([]) == 0
    assert "none survived" in capsys.readouterr().out


def test_the_page_is_what_the_command_prints(capsys):
    """But for what the checks say, whose last digits are the machine's."""

    def code(page):
        return page.split("```python\n")[1:]

    assert museum.main(["--markdown"]) == 0
    printed = [block.split("```")[0] for block in code(capsys.readouterr().out)]
    page = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
    assert printed == [block.split("```")[0] for block in code(page)] and len(printed) == len(museum.EXHIBITS)
