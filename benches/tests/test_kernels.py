"""The bench of the kernels runs at tiny sizes, and judges. (No test depends on a time.)"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba")

ROOT = Path(__file__).parents[2]
BENCH = ROOT / "benches" / "kernels.py"


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH.parent))
    import kernels

    yield kernels
    sys.modules.pop("kernels")


def test_it_measures_every_kernel_and_a_model(bench, tmp_path):
    command = [sys.executable, BENCH, "--small", "--turns", "2", "--samples", "128"]
    command += ["--json", tmp_path / "kernels.json", "--plot", tmp_path / "kernels.png"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    content = json.loads((tmp_path / "kernels.json").read_text())
    names = [row["kernel"] for row in content["rows"]]
    assert {"convolution backward", "max pooling forward", "LSTM backward", "Adam", "SimpleRNN classifier"} <= set(
        names
    )
    assert all(
        set(row["ms"]) == {"numba", "numpy", "loops"}
        for row in content["rows"]
        if row["threads"] == 1
        if "N 1" in row["size"]
    )
    assert "Numba is slower than NumPy, beyond noise, in" in result.stdout and (tmp_path / "kernels.png").exists()
    assert "## Numba against NumPy against loops" in bench.markdown(content)


def test_numba_loses_only_beyond_noise(bench, monkeypatch):
    case = bench.Case("a kernel", "a size", 1e9, None)
    asked = []

    def judge(ratios):
        def readings(sides, turns, title):
            asked.append(turns)
            return {"numba": [1.0] * len(ratios), "numpy": ratios}

        monkeypatch.setattr(bench, "in_turns", readings)
        monkeypatch.setattr(bench, "_reading", lambda case, backend: None)
        return bench.judged(case, 4)["slower"]

    assert judge([0.5, 0.6, 0.7, 0.8]) and asked == [4, 12]
    assert not judge([0.97, 0.96, 0.98, 0.97])
    assert not judge([0.5, 0.9, 1.2, 1.3])
