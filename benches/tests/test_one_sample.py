"""The bench of single samples: what it asks, and what it makes of the answers."""

import importlib.util
import sys
from pathlib import Path

import pytest

BENCHES = Path(__file__).parents[1]


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHES))
    spec = importlib.util.spec_from_file_location("one_sample_bench", BENCHES / "one_sample.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for name in ("_shared", "models", "missions"):
        sys.modules.pop(name, None)


def test_each_model_is_asked_in_both_ways_in_turns(bench, monkeypatch):
    asked = []

    class Side:
        def __init__(self, command, **settings):
            self.side = command[-1]

        def ask(self, question):
            asked.append((self.side, question))
            return "0.5" if self.side == "scratchnet" else "50"

        def close(self):
            asked.append((self.side, "end"))

    monkeypatch.setattr(bench, "Worker", Side)
    monkeypatch.setattr(bench, "installed", list)
    options = type("Options", (), {"peers": ["tensorflow"], "threads": 2, "turns": 2, "only": ["CNN classifier"]})
    rows = bench.measure(options)
    assert asked[:4] == [(side, "predict CNN classifier") for side in ("scratchnet", "tensorflow")] * 2
    assert asked[-2:] == [("scratchnet", "end"), ("tensorflow", "end")]
    assert [row["call"] for row in rows] == ["predict", "call"]
    assert rows[0]["ms"] == {"scratchnet": 0.5, "tensorflow": 50.0}
    assert rows[0]["ratios"] == {"tensorflow": "100 (100 to 100)"}
    result = {"rows": rows, "options": {"turns": 2}}
    assert "| CNN classifier | predict | 0.50 |" in bench.markdown(result).replace("  ", " ")
    assert "100 (100 to 100)" in bench.table(result)
    assert bench.draw(result).axes[0].get_xscale() == "log"
