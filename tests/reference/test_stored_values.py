"""Layers against values that Keras computed once (`make_expected.py`), for those who have no TensorFlow."""

import functools
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from scratchnet import layers

_spec = importlib.util.spec_from_file_location("machinery", Path(__file__).with_name("machinery.py"))
machinery = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(machinery)

CASES = [(room, case) for room in machinery.ROOMS for case in machinery.cases_of(room)]


@functools.cache
def expected(room):
    with np.load(machinery.HERE / "expected" / f"{room}.npz") as file:
        return dict(file)


@pytest.mark.parametrize(("room", "case"), CASES, ids=[machinery.name_of(case) for _, case in CASES])
def test_layer(room, case):
    found = machinery.ours(machinery.make(layers, case), case)
    stored = [expected(room)[f"{machinery.name_of(case)}/{k}"] for k in range(len(found))]
    machinery.assert_equal(found, stored)


@pytest.mark.parametrize("room", machinery.ROOMS)
def test_the_versions_that_made_the_values_are_stored(room):
    assert [text.split()[0] for text in expected(room)["versions"]] == ["keras", "tensorflow", "numpy"]
