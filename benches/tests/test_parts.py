"""The bench of divided batches runs on some of its models, and its grid has 60. (No test depends on a time.)"""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

BENCHES = Path(__file__).parents[1]


def test_it_trains_in_three_ways_and_tells_the_worst(tmp_path, bench):
    command = [sys.executable, BENCHES / "parts.py", "--small", "--turns", "1"]
    command += ["--json", tmp_path / "parts.json", "--plot", tmp_path / "parts.png"]
    environment = {**os.environ, "PYTHONPATH": str(BENCHES.parent), "SCRATCHNET_BACKEND": "numpy"}
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "parts.json").read_text())
    assert {row["model"] for row in content["rows"]} == {"SimpleRNN", "GRU", "Dense"}
    assert all(set(row["ms"]) == {"as decided", "one thread", "all threads"} for row in content["rows"])
    assert {row["parts"] for row in content["rows"]} <= {1, 2}
    assert (tmp_path / "parts.png").read_bytes().startswith(b"\x89PNG")
    text = bench("parts").markdown(content)
    assert "## Parts of a batch" in text and "| all" in text and "9 small models" in text


def test_a_grid_is_measured_in_several_runs(tmp_path, bench, monkeypatch, capsys):
    parts, asked = bench("parts"), []

    def measure_model(kind, width, batch, options):
        asked.append((kind, width, batch))
        return {"model": kind, "width": width, "batch": batch}

    monkeypatch.setattr(parts, "measure_model", measure_model)
    clock = iter(range(100))
    monkeypatch.setattr(parts.time, "perf_counter", lambda: next(clock))
    path = tmp_path / "parts.json"
    options = SimpleNamespace(only=["CNN", "GRU"], small=False, resume=True, json=str(path), seconds=3)
    rows = parts.measure(options)
    assert asked == [("CNN", 2, 32), ("CNN", 2, 64), ("CNN", 2, 128)]
    assert "21 models are left: go on with --resume" in capsys.readouterr().out
    path.write_text(json.dumps({"rows": rows}))
    options.seconds = None
    rows = parts.measure(options)
    assert len(asked) == len(set(asked)) == len(rows) == 24 and "all models" in capsys.readouterr().out
    assert [row["model"] for row in rows] == ["GRU"] * 12 + ["CNN"] * 12
    options.resume = False
    assert len(parts.measure(options)) == 24 and len(asked) == 48


def test_the_grid_has_sixty_models_keras_batch_among_them(bench):
    parts = bench("parts")
    assert sum(len(widths) for _, widths in parts.KINDS.values()) * len(parts.BATCHES) == 60
    assert parts.BATCHES[0] == 32 and min(parts.KINDS["SimpleRNN"][1]) == 16 and max(parts.KINDS["SimpleRNN"][1]) == 64
