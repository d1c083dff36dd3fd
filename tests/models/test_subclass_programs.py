"""Programs with classes that define `call` follow Keras: outputs, losses, weights; in one part of the batch or more.

The values were computed by Keras from the same weights; `subclass_programs` makes them anew.
"""

from pathlib import Path

import numpy as np
import pytest

import scratchnet as keras
from scratchnet import layers, losses, ops, regularizers
from scratchnet.optimizers import SGD
from scratchnet.parallel import set_num_threads
from scratchnet.training import step
from tests.models.subclass_programs import PROGRAMS, run


class Namespace:
    Layer, Model, Sequential, SGD = keras.Layer, keras.Model, keras.Sequential, SGD
    layers, ops, losses, regularizers = layers, ops, losses, regularizers


@pytest.fixture(scope="module")
def expected():
    with np.load(Path(__file__).parent / "subclass_programs.npz") as stored:
        return dict(stored)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_program_follows_keras(program, threads, expected, monkeypatch):
    monkeypatch.setattr(step, "SMALLEST_PART", 4)
    set_num_threads(threads)
    try:
        found = run(Namespace, program)
    finally:
        set_num_threads(None)
    names = [key.partition("/")[2] for key in expected if key.startswith(f"{program.__name__}/")]
    assert sorted(found) == sorted(names)
    for name in names:
        value = expected[f"{program.__name__}/{name}"]
        assert found[name].shape == value.shape, name
        np.testing.assert_allclose(found[name], value, rtol=0, atol=5e-6 * max(1, np.abs(value).max()), err_msg=name)
