"""A Transformer on padded sequences: its losses are Keras's, and it learns what no token knows by itself."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import scratchnet
from scratchnet.gradient_check import check_layer

_path = Path(__file__).parents[2] / "reference" / "transformer.py"
_spec = importlib.util.spec_from_file_location("transformer", _path)
transformer = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(transformer)


@pytest.mark.parametrize("causal", [False, True])
def test_losses_are_those_of_keras(causal):
    found = transformer.losses(scratchnet, causal=causal)
    np.testing.assert_allclose([found[step] for step in transformer.AT], transformer.EXPECTED[causal], rtol=1e-6)


def test_its_gradients(monkeypatch):
    monkeypatch.setattr(scratchnet.config, "_floatx", "float64")
    model = transformer.make(scratchnet)
    transformer.set_weights(model)
    (tokens, positions), _ = transformer.data(3)
    report = check_layer(model, [tokens, positions], bound=1e-6, max_entries=50, directions=5)
    assert report.passed, report


def test_it_learns_in_which_order_two_tokens_stand():
    scratchnet.utils.set_random_seed(0)
    model = transformer.make(scratchnet, causal=True)
    model.compile(scratchnet.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    x, y = transformer.data(400)
    model.fit(x, y, epochs=10, batch_size=40, verbose=0)
    assert model.evaluate(x, y, verbose=0)[1] > 0.97
