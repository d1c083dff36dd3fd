"""What stands beside the library still fits it: one quick look each; their own tests have legs of their own."""

import importlib
import json
import sys
from pathlib import Path

import pytest

from scratchnet.gradient_check import museum

ROOT = Path(__file__).parents[1]
BENCHES = ("kernels", "ladder", "models", "quality", "scaling", "startup")


@pytest.fixture
def bench(monkeypatch):
    """A function that imports a module of benches/, and forgets it afterwards."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(ROOT / "benches"))
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if (ROOT / "benches" / f"{name}.py").exists():
            del sys.modules[name]


@pytest.mark.parametrize("name", [name for name in BENCHES if name != "quality"])
def test_a_bench_shows_the_figures_that_are_kept(bench, name):
    result = json.loads((ROOT / "benches" / "results" / f"{name}.json").read_text(encoding="utf-8"))
    module = bench(name)
    page = ROOT / "docs" / ("performance.md" if name == "ladder" else "benchmarks.md")
    lines = [line for line in module.markdown(result).splitlines() if line.startswith("|")]
    assert lines and set(lines) <= set(page.read_text(encoding="utf-8").splitlines())
    assert module.table(result)


def test_the_museum_opens(capsys):
    assert museum.main([]) == 0
    assert "16 bugs, none survived" in capsys.readouterr().out


def test_without_a_checkout_the_museum_says_where_it_is(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(museum, "EXHIBITS", tmp_path / "exhibits.py")
    assert museum.main([]) == 2
    assert "run this in a checkout" in capsys.readouterr().out
