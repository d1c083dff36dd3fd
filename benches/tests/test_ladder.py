"""The ladder of `benches/ladder.py`: its rungs compute the same, it runs, and its page shows code that exists."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scratchnet import kernels
from scratchnet.kernels.loops import recurrent as loops
from scratchnet.layers import LSTM

ROOT = Path(__file__).parents[2]
BENCH = ROOT / "benches" / "ladder.py"
PAGE = ROOT / "docs" / "performance.md"


@pytest.fixture
def ladder(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH.parent))
    import ladder

    return ladder


@pytest.mark.parametrize("operation", ["convolution", "LSTM"])
def test_the_rungs_compute_the_same(ladder, operation):
    layer, x, dy = ladder.inputs(operation, 3)
    expected = ladder.layer_pass(layer, x, dy)
    assert expected.keys() == layer.params.keys()
    for name, grad in ladder.textbook_pass(layer, x, dy).items():
        np.testing.assert_allclose(grad, expected[name], rtol=1e-3, atol=1e-3)


def test_an_lstm_in_loops_computes_the_same(ladder, monkeypatch):
    layer = LSTM(2)
    x = np.random.default_rng(0).random((2, 3, 4), dtype="float32")
    dy = np.ones(layer(x).shape, "float32")
    expected = ladder.layer_pass(layer, x, dy)
    monkeypatch.setattr(loops, "matmul", loops.matmul)  # one rung replaces it
    with kernels.using_backend("loops"):
        for one_pass in (ladder.layer_pass, ladder.blas_pass):
            for name, grad in one_pass(layer, x, dy).items():
                np.testing.assert_allclose(grad, expected[name], rtol=1e-5, atol=1e-6)


def test_it_writes_its_figures_into_the_page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- ladder:begin -->\nold\n<!-- ladder:end -->\nafter\n")
    command = [sys.executable, BENCH, "--small", "--turns", "2"]
    command += ["--page", page, "--json", tmp_path / "ladder.json", "--plot", tmp_path / "ladder.png"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    rows = json.loads((tmp_path / "ladder.json").read_text())["rows"]
    assert [row["rung"] for row in rows] == ["loops", "NumPy, all patches at once"]
    assert (tmp_path / "ladder.png").exists()
    text = page.read_text()
    assert text.startswith("before\n<!-- ladder:begin -->\n`Conv2D") and text.endswith("<!-- ladder:end -->\nafter\n")
    assert "old" not in text and "| loops " in text


@pytest.mark.parametrize("operation", ["convolution", "LSTM"])
def test_every_rung_answers(ladder, operation, monkeypatch, capsys):
    options = argparse.Namespace(batch=2, loop_samples=1, threads=2, at_least=1)
    for rung in ladder.rungs_of(operation, 2):
        if operation == "LSTM" and rung.slow:
            continue  # seconds
        monkeypatch.setattr("sys.stdin", ["go"])
        with kernels.using_backend(None):  # undoes the choice of the worker
            ladder.work(operation, rung.name, options)
        ready, ms = capsys.readouterr().out.split()
        assert ready == "ready" and float(ms) > 0
