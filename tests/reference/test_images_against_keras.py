"""Image layers against Keras's values: stored ones, and, where Keras is there, what it computes now."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from scratchnet import layers

_spec = importlib.util.spec_from_file_location("images", Path(__file__).with_name("images.py"))
images = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(images)

# A place between two pixels, up to 30 from the corner, is rounded by 2e-6, and on either side grey may differ by 255.
# Keras rounds differently from processor to processor.
BOUND = {"rtol": 1e-5, "atol": 2e-3}
NAMES = [images.name_of(case) for case in images.CASES]


@pytest.mark.parametrize("case", images.CASES, ids=NAMES)
def test_stored_values(case):
    with np.load(images.STORED) as stored:
        np.testing.assert_allclose(images.ours(layers, case), stored[images.name_of(case)], **BOUND)


@pytest.mark.reference
@pytest.mark.parametrize("case", images.CASES, ids=NAMES)
def test_keras(keras, case):
    with np.load(images.STORED) as stored:
        np.testing.assert_allclose(images.kerass(keras.layers, case), stored[images.name_of(case)], **BOUND)
