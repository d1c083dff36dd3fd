"""The bench of growing sizes: it runs, sees cliffs, and knows the fastest peer. (No test depends on a time.)"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHES = Path(__file__).parents[1]


def run(tmp_path, *arguments):
    command = [sys.executable, BENCHES / "curves.py", "--small", "--turns", "1", "--only", "batch"]
    command += ["--json", tmp_path / "curves.json", "--plot", tmp_path / "curves.png", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(BENCHES.parent)}
    result = subprocess.run([*map(str, command)], capture_output=True, text=True, env=environment, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads((tmp_path / "curves.json").read_text())


def test_it_measures_time_and_memory_and_shows_them(tmp_path, bench):
    content = run(tmp_path)
    times = [row for row in content["rows"] if row["kind"] == "time"]
    assert [(row["threads"], row["size"]) for row in times] == [(n, size) for n in (1, 2) for size in (1, 2, 4)]
    assert all(row["ms"]["scratchnet"] > 0 for row in times)
    (memory,) = (row for row in content["rows"] if row["kind"] == "memory")
    assert memory["size"] == 8192 and memory["fit"] >= memory["predict"] >= 0 < memory["before"]
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "## How cost grows" in bench("curves").markdown(content)


def test_time_of_the_processor_alone_and_no_memory(tmp_path):
    content = run(tmp_path, "--threads", "1", "--clock", "processor", "--no-memory")
    assert [row["kind"] for row in content["rows"]] == ["time"] * 3


def test_the_smooth_curve_is_found_and_a_cliff_stands_out(bench):
    curves = bench("curves")
    sizes = [2**k for k in range(9)]
    times = [3 + 0.5 * size + 0.01 * size**2 for size in sizes]
    assert curves.smooth(sizes, times) == pytest.approx(times)
    times[6] *= 2
    over = [ms / expected for ms, expected in zip(times, curves.smooth(sizes, times))]
    assert [size for size, value in zip(sizes, over) if value >= curves.CLIFF] == [64]


def test_the_table_names_cliffs_and_the_fastest_peer_where_one_was_asked(bench):
    curves = bench("curves")
    rows = []
    for size in (1, 2, 4, 8, 16):
        ms = {"scratchnet": 10.0 * size * (2 if size == 8 else 1)}
        if size in (1, 4, 16):
            ms.update(tensorflow=50.0 * size, torch=15.0 * size)
        rows.append({"kind": "time", "varied": "batch", "size": size, "threads": 1, "ms": ms})
    for side, added in (("scratchnet", 100.0), ("torch", 250.0)):
        memory = {"kind": "memory", "varied": "batch", "size": 16, "side": side}
        rows.append({**memory, "before": 50.0, "predict": 20.0, "fit": added})
    environment = {"processors": 2, "processor": "one", "blas": [], "threads": 2, "python": "3", "packages": {}}
    result = {"options": {"turns": 3, "clock": "wall"}, "environment": environment, "rows": rows}
    assert curves.fastest(rows[0]) == ("torch", 15.0) and curves.fastest(rows[1]) is None
    text = curves.table(result)
    assert "8 (1." in text and "(PyTorch)" in text and "2.5" in text
    assert len([line for line in curves.draw(result).axes[0].get_lines() if len(line.get_xdata()) == 3]) == 1


def test_the_models_of_pytorch_learn(bench):
    torch = pytest.importorskip("torch")
    curves = bench("curves")
    for sweep in ("length", "pixels"):
        x, y, batch_size, of = curves.data(sweep, 8)
        model = curves.TorchModel(*of)
        before = model.head.weight.detach().clone()
        model.fit(x, y, batch_size=batch_size)
        assert not torch.equal(before, model.head.weight)
        assert sum(map(len, model.predict(x, batch_size=batch_size))) == len(x)
