"""Every bug of the museum is caught; its patches fit the code as it stands."""

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("exhibits", Path(__file__).with_name("exhibits.py"))
museum = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(museum)


@pytest.mark.parametrize("exhibit", museum.EXHIBITS, ids=lambda exhibit: exhibit.title)
def test_the_bug_is_caught(exhibit):
    assert museum.objection(exhibit) is not None


@pytest.mark.parametrize("exhibit", museum.EXHIBITS, ids=lambda exhibit: exhibit.title)
def test_without_the_bug_the_same_check_has_no_objection(exhibit):
    assert museum.objection(exhibit._replace(wrong=exhibit.right)) is None


def test_an_exhibit_that_does_not_fit_the_code_any_more_is_told():
    with pytest.raises(LookupError, match="holds 0 times"):
        museum.patched(museum.EXHIBITS[0]._replace(right="this line is nowhere"))


def test_the_command_shows_them_all(capsys):
    assert museum.main([]) == 0
    assert "none survived" in capsys.readouterr().out
    assert museum.main(["--markdown"]) == 0
    assert capsys.readouterr().out.count("```diff") == len(museum.EXHIBITS)
