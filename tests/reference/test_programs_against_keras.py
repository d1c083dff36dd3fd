"""Public programs say the same on Keras and here: 20 steps from the same weights over the same batches."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import scratchnet

pytestmark = [pytest.mark.reference, pytest.mark.filterwarnings("ignore")]

_path = Path(__file__).parents[1] / "programs" / "helpers" / "on_either_library.py"
_spec = importlib.util.spec_from_file_location("on_either_library", _path)
either = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(either)


@pytest.mark.parametrize("path", either.PROGRAMS, ids=lambda path: path.stem)
def test_twenty_steps(path, keras, monkeypatch):
    found, _ = either.losses_of(path, scratchnet, monkeypatch)
    expected, _ = either.losses_of(path, keras, monkeypatch)
    assert len(found) == len(expected)
    np.testing.assert_allclose(found[:20], expected[:20], rtol=1e-5)
