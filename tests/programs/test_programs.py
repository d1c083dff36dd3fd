"""Complete programs as a Keras user writes them run on scratchnet with only their import lines changed.

They stand in tests/programs/, one for each of the mission's models. Nothing but the import lines is rewritten; what is
replaced around them is the data: the embedded samples, cut short, so that the whole file takes seconds.
"""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

_spec = importlib.util.spec_from_file_location(
    "on_either_library", Path(__file__).parent / "helpers" / "on_either_library.py"
)
either = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(either)

PROGRAMS = sorted(p for p in Path(__file__).parent.glob("*.py") if not p.name.startswith("test_"))


@pytest.fixture
def small_data(monkeypatch):
    for name, train, test in (("mnist", 800, 200), ("cifar10", 320, 64)):
        module = importlib.import_module(f"scratchnet.datasets.{name}")
        (x, y), (x_test, y_test) = module.load_sample()
        data = (x[:train], y[:train]), (x_test[:test], y_test[:test])
        monkeypatch.setattr(module, "load_data", lambda data=data: data)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_program_runs_and_learns(path, small_data, capsys):
    source = either.with_our_imports(path.read_text())
    assert "keras" not in re.sub(r"as keras|keras\.", "", source), "an import line was not rewritten"
    result = {}
    exec(compile(source, str(path), "exec"), result)

    history, model = result["history"].history, result["model"]
    assert history["loss"][-1] < history["loss"][0]
    assert len(history["val_loss"]) == len(history["loss"])
    assert np.isfinite(result["test_loss"])
    assert len(result["predictions"]) == len(result["x_test"])
    if "test_accuracy" in result:
        classes_right = np.mean(result["predictions"].ravel() == _labels(result["y_test"]))
        assert classes_right == pytest.approx(result["test_accuracy"])
        if "mnist" in source:
            assert result["test_accuracy"] > 0.5
    if "codes" in result:
        assert len(result["codes"]) == len(result["x_test"])
    printed = capsys.readouterr().out
    assert f'Model: "{model.name}"' in printed
    assert f"Total params: {model.count_params():,}" in printed
    assert max(map(len, printed.split("Total params")[0].splitlines())) <= 80


def _labels(y):
    return y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.ravel()
