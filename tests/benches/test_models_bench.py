"""The bench of the models runs, prints its table and writes its readings. (No test depends on a time.)"""

import json
import os
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "benches" / "models.py"


def test_it_measures_every_call_of_a_model(tmp_path):
    command = [sys.executable, BENCH, "--only", "SimpleRNN classifier", "--calls", "fit", "predict"]
    command += ["--samples", "256", "--turns", "2", "--json", tmp_path / "out" / "models.json"]
    environment = {**os.environ, "PYTHONPATH": str(BENCH.parents[1])}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    assert "SimpleRNN classifier" in result.stdout and "scratchnet ms" in result.stdout and "BLAS for" in result.stdout
    rows = json.loads((tmp_path / "out" / "models.json").read_text())
    assert [row["call"] for row in rows] == ["fit", "predict"]
    assert all(len(row["ms"]["scratchnet"]) == 2 for row in rows)


def test_it_explains_its_options():
    result = subprocess.run([sys.executable, BENCH, "--help"], capture_output=True, text=True, check=True)
    assert "whom to compare with, where installed" in result.stdout
