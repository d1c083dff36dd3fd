"""Every layer with every option: the same output, dx and gradients as Keras from the same random weights (float32).

dx is seen through a trainable layer before it: its kernel's gradient is x^T dx.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from scratchnet import layers

pytestmark = [pytest.mark.reference, pytest.mark.filterwarnings("ignore")]

_spec = importlib.util.spec_from_file_location("machinery", Path(__file__).with_name("machinery.py"))
machinery = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(machinery)

CASES = [case for room in machinery.ROOMS for case in machinery.cases_of(room)]


@pytest.mark.parametrize("case", CASES, ids=map(machinery.name_of, CASES))
def test_layer(keras, case):
    mine, theirs = machinery.make(layers, case), machinery.make(keras.layers, case)
    machinery.assert_equal(machinery.ours(mine, case), machinery.kerass(theirs, case))


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM"])
def test_states_in(keras, tf, name):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 5, 4)).astype("float32")
    states = [rng.normal(size=(3, 3)).astype("float32") for _ in range(2 if name == "LSTM" else 1)]
    mine, theirs = getattr(layers, name)(3), getattr(keras.layers, name)(3)
    theirs(x, initial_state=states)
    mine(x, initial_state=states)
    mine.set_weights(theirs.get_weights())
    variables = [tf.Variable(s) for s in states]
    with tf.GradientTape() as tape:
        expected = theirs(x, initial_state=variables)
    y, cache = mine.forward([x, *states])
    np.testing.assert_allclose(y, expected, atol=1e-6)
    dx, _ = mine.backward(np.ones_like(y), cache)
    for found, wanted in zip(dx[1:], tape.gradient(expected, variables)):
        np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize(
    "inner",
    [("Dense", {"units": 3}, (2, 4, 5)), ("Conv2D", {"filters": 2, "kernel_size": 2}, (2, 3, 4, 4, 2))],
    ids=["Dense", "Conv2D"],
)
def test_time_distributed(keras, inner):
    name, options, shape = inner
    case = ("TimeDistributed", {"layer": (name, options)}, shape, {})
    mine, theirs = machinery.make(layers, case), machinery.make(keras.layers, case)
    machinery.assert_equal(machinery.ours(mine, case), machinery.kerass(theirs, case))


def test_merging_layers(keras):
    xs = [np.random.default_rng(k).normal(size=(2, 3)).astype("float32") for k in range(3)]
    np.testing.assert_allclose(layers.Add()(xs), keras.layers.Add()(xs), rtol=1e-6)
    np.testing.assert_allclose(layers.Concatenate()(xs), keras.layers.Concatenate()(xs))
