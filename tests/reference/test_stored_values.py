"""Layers against values that Keras computed once (`make_expected.py`), for those who have no TensorFlow."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from scratchnet import layers

_spec = importlib.util.spec_from_file_location("cases", Path(__file__).with_name("cases.py"))
cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cases)


@pytest.fixture(scope="module")
def expected():
    with np.load(Path(__file__).with_name("expected.npz")) as file:
        return dict(file)


@pytest.mark.parametrize(("case", "settings"), list(zip(cases.names(), cases.CASES)), ids=cases.names())
def test_layer(expected, case, settings):
    name, options, shape = settings
    found = cases.ours(getattr(layers, name)(**options), *cases.inputs(shape))
    cases.assert_equal(found, [expected[f"{case}/{k}"] for k in range(len(found))])


def test_the_versions_that_made_the_values_are_stored(expected):
    assert [text.split()[0] for text in expected["versions"]] == ["keras", "tensorflow", "numpy"]
