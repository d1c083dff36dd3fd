"""The losses that are stored for the small Transformer are those of Keras."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.reference, pytest.mark.filterwarnings("ignore")]

_spec = importlib.util.spec_from_file_location("transformer", Path(__file__).with_name("transformer.py"))
transformer = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(transformer)


@pytest.mark.parametrize("causal", [False, True])
def test_stored_losses(keras, causal):
    found = transformer.losses(keras, causal=causal)
    np.testing.assert_allclose([found[step] for step in transformer.AT], transformer.EXPECTED[causal], rtol=1e-6)
