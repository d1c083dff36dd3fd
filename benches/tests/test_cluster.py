"""Predictions for more ranks: right where the answer is known without a formula."""

import importlib
import json
import sys
from pathlib import Path

import pytest

BENCHES = Path(__file__).parents[2] / "benches"
ROW = {
    "kind": "model",
    "model": "a model",
    "batch": 128,
    "effort_ms": {"1 x 1": 40.0, "quarter": 16.0, "2 x 1": 22.0, "3 x 1": 30.0},
    "gradients": 1_000_000,
    "bytes": {"2 x 1": 1_000_300.0},
    "messages": {"2 x 1": 3.0},
}
LARGE = {**ROW, "model": "EfficientNet-Lite0", "batch": 8, "bytes": {}, "messages": {}, "sums": 6, "sums_bytes": 900}
LARGE["effort_ms"] = {"1 x 1": 400.0, "quarter": 110.0}
RESULT = {
    "began": "today",
    "environment": {"processors": 2},
    "rows": [{"kind": "wire", "word": 100.0, "megabyte": 600.0, "shared": 200.0}, ROW, LARGE],
}


@pytest.fixture
def cluster(monkeypatch):
    before = set(sys.modules)
    monkeypatch.syspath_prepend(BENCHES)
    yield importlib.import_module("cluster")
    for name in set(sys.modules) - before:
        if (BENCHES / f"{name}.py").exists():
            del sys.modules[name]


def test_costs_are_taken_from_two_batches_and_from_what_was_sent(cluster):
    cost = cluster.costs(ROW, RESULT["rows"][0])
    assert cost["row"] == pytest.approx(0.024 / 96) and cost["fixed"] == pytest.approx(0.008)
    assert (cost["gathers"], cost["gathered"]) == (1, 300) and cost["byte"] == pytest.approx(5e-10)
    large = cluster.costs(LARGE, RESULT["rows"][0])
    assert (large["gathers"], large["gathered"]) == (7, 1200)


def test_without_messages_ranks_are_worth_what_they_are(cluster):
    cost = {**cluster.costs(ROW, RESULT["rows"][0]), "message": 0, "byte": 0, "gradients": 0, "gathered": 0, "fixed": 0}
    free = (0.0, float("inf"))
    assert [cluster.weak(cost, R, free, 128) for R in (1, 8, 1024)] == pytest.approx([1, 8, 1024])
    assert [cluster.strong(cost, R, free, 128, 16) for R in (1, 4, 8, 64)] == pytest.approx([1, 4, 8, 8])
    assert cluster.here(cost, 2) == pytest.approx(cluster.here(cost, 4)) == pytest.approx(32)
    assert cluster.pays_until([R for R in cluster.RANKS]) == 1024
    assert cluster.pays_until([min(R, 10) for R in cluster.RANKS]) == 16


def test_a_faster_network_is_never_worse_and_prediction_stands_beside_measurement(
    cluster, tmp_path, monkeypatch, capsys
):
    for row in cluster.predict(RESULT):
        for kind in ("weak", "strong"):
            assert all(a <= b for a, b in zip(row[kind]["10 Gb/s"], row[kind]["100 Gb/s"]))
    (tmp_path / "ranks.json").write_text(json.dumps(RESULT))
    command = [
        "cluster.py",
        "--measured",
        tmp_path / "ranks.json",
        "--plot",
        tmp_path / "c.png",
        "--json",
        tmp_path / "c",
    ]
    monkeypatch.setattr(sys, "argv", list(map(str, command)))
    cluster.main()
    output = capsys.readouterr().out
    assert ", 22.0" in output and "EfficientNet-Lite0" in output
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG") and "today" in (tmp_path / "c").read_text()
