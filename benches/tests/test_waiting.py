"""The bench of what a user waits for runs, and writes its table into a page. (No test depends on a time.)"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba")

BENCHES = Path(__file__).parents[1]
RESULT = {
    "options": {"turns": 7, "threads": 2},
    "environment": {"isa": "native", "widest": "avx512"},
    "rows": [
        {"what": "the first command", "unit": "s", "times": {"scratchnet": 60.0}},
        {"what": "one prediction", "unit": "ms", "times": {"scratchnet": 0.25, "tensorflow": 75.0}},
    ],
}


def test_it_times_programs_and_predictions(tmp_path, bench):
    command = [sys.executable, BENCHES / "waiting.py", "--small", "--turns", "1", "--peers"]
    command += ["--json", tmp_path / "waiting.json", "--plot", tmp_path / "waiting.png"]
    environment = {**os.environ, "PYTHONPATH": str(BENCHES.parent), "SCRATCHNET_BACKEND": "numpy"}
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "waiting.json").read_text())["rows"]
    assert [row["unit"] for row in rows] == ["s"] * 4 + ["ms"] * 3
    assert all(row["times"]["scratchnet"] > 0 for row in rows)
    assert "one prediction, LSTM autoencoder" in done.stdout and "what you wait for" in done.stdout
    assert (tmp_path / "waiting.png").read_bytes().startswith(b"\x89PNG")
    assert "## What you wait for" in bench("waiting").markdown({**RESULT, "rows": rows})


def test_the_table_stands_between_the_markers_of_a_page(tmp_path, bench):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- waiting:begin -->\nold\n<!-- waiting:end -->\nafter\n")
    bench("waiting").write_page(page, RESULT)
    text = page.read_text()
    assert text.startswith("before\n<!-- waiting:begin -->\n| what you wait for") and "old" not in text
    assert "0.25 ms" in text and "75 ms (300 times)" in text and "60 s" in text
    assert text.endswith("On 2 processors with AVX-512.\n<!-- waiting:end -->\nafter\n")
    page.write_text("no markers")
    with pytest.raises(ValueError, match="must hold the lines <!-- waiting:begin -->"):
        bench("waiting").write_page(page, RESULT)


def test_readme_has_a_place_for_it():
    text = (BENCHES.parent / "README.md").read_text(encoding="utf-8")
    assert text.count("<!-- waiting:begin -->") == text.count("<!-- waiting:end -->") == 1
