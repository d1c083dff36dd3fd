"""Programs of the kinds that people publish run with only their import lines changed, and learn.

That every step says what Keras says is tested in tests/reference/test_programs_against_keras.py.
"""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

import scratchnet

_spec = importlib.util.spec_from_file_location(
    "on_either_library", Path(__file__).parent / "helpers" / "on_either_library.py"
)
either = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(either)


@pytest.mark.parametrize("path", either.PROGRAMS, ids=lambda path: path.stem)
def test_a_public_program_runs_and_learns(path, monkeypatch):
    source = either.with_our_imports(path.read_text())
    assert "keras" not in re.sub(r"as keras|keras\.|_keras_serializable|\.keras\b", "", source)
    losses, names = either.losses_of(path, scratchnet, monkeypatch)
    assert len(losses) >= 20 and np.isfinite(losses).all()
    if "gan" in names:
        assert len(names["losses"]) == 20
    else:
        history = names["history"].history["loss"]
        assert losses[-5:].mean() < losses[:5].mean() and len(history) * names["history"].params["steps"] == len(losses)


def test_the_kinds_that_there_ought_to_be():
    assert len(either.PROGRAMS) == 23
