"""The bench of the scaling runs with small sizes, and its figures are what they are called. (No time is tested.)"""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHES = Path(__file__).parents[2] / "benches"


@pytest.fixture
def scaling(monkeypatch):
    before = set(sys.modules)
    monkeypatch.syspath_prepend(BENCHES)
    yield importlib.import_module("scaling")
    for name in set(sys.modules) - before:
        if (BENCHES / f"{name}.py").exists():
            del sys.modules[name]


def test_it_measures_times_and_memory(tmp_path, scaling):
    command = [sys.executable, BENCHES / "scaling.py", "--small", "--turns", "1", "--peers"]
    command += ["--json", tmp_path / "scaling.json", "--plot", tmp_path / "scaling.png"]
    environment = {**os.environ, "PYTHONPATH": str(BENCHES.parent)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert "exponent" in done.stdout and "MB of fit" in done.stdout and "turn 1 of 1" in done.stderr
    assert (tmp_path / "scaling.png").read_bytes().startswith(b"\x89PNG")
    result = json.loads((tmp_path / "scaling.json").read_text())
    times = [row for row in result["rows"] if row["kind"] == "time"]
    assert {(row["model"], row["varied"]) for row in times} == set(scaling.SWEEPS)
    assert {row["threads"] for row in times} == {1, 2} and all(row["ms"] > 0 for row in times)
    (memory,) = (row for row in result["rows"] if row["kind"] == "memory")
    assert memory["side"] == "scratchnet" and 0 < memory["before"] <= memory["peak"]
    text = scaling.markdown(result)
    assert "8 to 16" in text and "time steps" in text and "CNN classifier" in text


def test_the_exponent_is_that_of_the_largest_half(scaling):
    assert scaling.exponent([1, 2, 4, 8], [1, 1, 4, 16]) == pytest.approx(2)
    assert scaling.exponent([8, 16], [3, 6]) == pytest.approx(1)


def test_memory_is_what_fit_added_beside_ours(scaling):
    rows = [
        {
            "kind": "memory",
            "model": "LSTM autoencoder",
            "batch": 128,
            "samples": 60000,
            "side": side,
            "before": b,
            "peak": p,
        }
        for side, b, p in (("scratchnet", 300, 400), ("tensorflow", 700, 950))
    ]
    lines = scaling._memory_lines({"rows": rows})
    assert [line[-2:] for line in lines] == [["100", "1.0"], ["250", "2.5"]]
