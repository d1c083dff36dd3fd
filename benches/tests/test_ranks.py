"""The bench of the ranks runs with a small model; its figures are what they are called. (No time is tested.)"""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHES = Path(__file__).parents[2] / "benches"


@pytest.fixture
def bench(monkeypatch):
    before = set(sys.modules)
    monkeypatch.syspath_prepend(BENCHES)
    yield importlib.import_module("ranks")
    for name in set(sys.modules) - before:
        if (BENCHES / f"{name}.py").exists():
            del sys.modules[name]


@pytest.mark.ranks
def test_it_measures_and_counts(tmp_path):
    command = [sys.executable, BENCHES / "ranks.py", "--only", "SimpleRNN classifier", "--turns", "1"]
    command += ["--samples", "256", "--json", tmp_path / "ranks.json", "--plot", tmp_path / "ranks.png"]
    environment = {**os.environ, "PYTHONPATH": str(BENCHES.parent)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "ranks.png").read_bytes().startswith(b"\x89PNG")
    wire, row = json.loads((tmp_path / "ranks.json").read_text())["rows"]
    assert wire["word"] > 0 and wire["megabyte"] > 0 and wire["shared"] > 0
    assert row["gradients"] == 4 * (28 * 128 + 128 * 128 + 128 + 1290) and row["sums"] == 0
    # a batch for one part: figures, gradients, parameters, and the state for the rank that has computed nothing
    assert row["messages"]["2 x 1"] == 4
    assert 0 < row["bytes"]["2 x 1"] - 2 * row["gradients"] < 500
    assert set(row["ms"]) == {"1 x 1", "1 x 2", "2 x 1", "3 x 1", "4 x 1", "quarter"}


def test_without_mpiexec_it_says_what_to_install(bench, monkeypatch):
    monkeypatch.setattr(bench.shutil, "which", lambda *args, **kwargs: None)
    with pytest.raises(FileNotFoundError, match="pip install mpi4py mpich"):
        bench.launcher_at("mpiexec")
