"""Layers of words and categories against Keras's values: stored ones, and, where Keras is there, those of today."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from scratchnet import layers

_spec = importlib.util.spec_from_file_location("tokens", Path(__file__).with_name("tokens.py"))
tokens = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tokens)

EVERY = range(len(tokens.CASES))
NAMES = [tokens.name_of(k) for k in EVERY]


def check(library, k):
    with np.load(tokens.STORED) as stored:
        for i, found in enumerate(tokens.results(library, tokens.CASES[k])):
            expected = stored[f"{k}/{i}"]
            assert found.shape == expected.shape
            if expected.dtype.kind == "U":
                assert found.tolist() == expected.tolist()
            else:
                np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("k", EVERY, ids=NAMES)
def test_stored_values(k):
    check(layers, k)


@pytest.mark.reference
@pytest.mark.parametrize("k", EVERY, ids=NAMES)
def test_keras(keras, k):
    check(keras.layers, k)
