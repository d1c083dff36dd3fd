"""The benchmarks draw without a screen, and their modules are found."""

import importlib
import os
import sys
from pathlib import Path

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")

BENCHES = Path(__file__).parents[1]


@pytest.fixture
def bench(monkeypatch):
    """``bench(name)`` imports a module of benches/, for this test."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(BENCHES)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if (BENCHES / f"{name}.py").exists():
            del sys.modules[name]
