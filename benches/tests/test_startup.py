"""The bench of the start-up runs, and sees which kernels are compiled. (No test depends on a time.)"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

ROOT = Path(__file__).parents[2]
BENCH = ROOT / "benches" / "startup.py"


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH.parent))
    import startup

    return startup


def test_it_measures_imports_and_first_steps(bench, tmp_path):
    command = [sys.executable, BENCH, "--turns", "1", "--starts", "1", "--no-job"]
    command += ["--json", tmp_path / "startup.json", "--plot", tmp_path / "startup.png"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SCRATCHNET_BACKEND": "numpy"}  # has nothing to compile
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    content = json.loads((tmp_path / "startup.json").read_text())
    steps = {row["side"]: row for row in content["rows"] if row["what"] == "first step"}
    assert steps.keys() == {"cold", "warm"} and all(row["compiled"] == 0 for row in steps.values())
    assert "from start to the first training step" in result.stdout and (tmp_path / "startup.png").exists()
    assert "## Start-up" in bench.markdown(content)


def test_the_whole_job_is_timed_part_by_part(bench, tmp_path):
    file = tmp_path / "digits.npz"
    np.savez(file, train=np.full((20, 28, 28), 255, "uint8"), test=np.zeros((5, 28, 28), "uint8"))
    job = bench._job(file, 1, "scratchnet", SCRATCHNET_BACKEND="numpy")
    assert job["seconds"] > job["imports"] + job["trains"] > 0 and job["loss"] > 0
    rows = [{"what": "job", "side": side, **job} for side in ("scratchnet, cold", "scratchnet, warm", "Keras on jax")]
    _, lines = bench._job_table(bench._grouped(rows, "job"))
    assert [line[0] for line in lines] == ["scratchnet, cold", "scratchnet, warm", "Keras on jax"]
    assert lines[2][5] == "1.00 (1.00 to 1.00)"


def test_it_counts_what_is_compiled(bench, tmp_path):
    script = tmp_path / "example.py"
    script.write_text(
        "import numpy as np\n"
        "from scratchnet import callbacks, kernels\n"
        "kernels.adam_update(*np.ones((4, 3)), 0.1, 0.9, 0.999, 1e-7)\n"
        "callbacks.CallbackList().on_train_batch_end(0)\n"
    )
    settings = {"NUMBA_CACHE_DIR": tmp_path / "cache", "SCRATCHNET_BACKEND": "numba"}
    counts = [bench.run(bench.UNTIL_FIRST_STEP, script, **settings)[0] for _ in range(2)]
    assert [(count["compiled"], count["loaded"]) for count in counts] == [(1, 0), (0, 1)]
