"""The seven models from the same weights over the same batches: the losses are Keras's."""

import importlib.util
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import scratchnet

pytestmark = [pytest.mark.reference, pytest.mark.filterwarnings("ignore")]

_spec = importlib.util.spec_from_file_location("missions", Path(__file__).parents[2] / "benches" / "missions.py")
missions = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(missions)


@contextmanager
def double_precision(*libraries):
    for library in libraries:
        library.config.set_floatx("float64")
        library.config.set_dtype_policy("float64")  # which Keras keeps beside floatx
    try:
        yield
    finally:
        for library in libraries:
            library.config.set_floatx("float32")
            library.config.set_dtype_policy("float32")


def curve(library, name, steps, change=lambda library, model: None):
    """The loss before each step, always from the same weights."""
    scratchnet.utils.set_random_seed(1)
    weights = missions.make(name, scratchnet).get_weights()
    model = missions.make(name, library)
    change(library, model)
    model.set_weights(weights)
    return np.array(missions.losses_of_steps(name, model, steps))


def smooth(losses):
    """Means of ten steps."""
    return np.convolve(losses, np.ones(10) / 10, "valid")


def name_of_last_activation(model):
    """That of the layer which a last TimeDistributed applies, or None."""
    activation = getattr(getattr(model.layers[-1], "layer", None), "activation", None)
    return getattr(activation, "__name__", None)


def with_the_same_numbers(library, model):
    """What Keras does otherwise, as docs/coming_from.md tells, done alike."""
    # Keras on TensorFlow rounds what an optimizer is given to float32.
    optimizer = model.optimizer
    for option in ("learning_rate", "beta_1", "beta_2", "epsilon"):
        setattr(optimizer, option, float(np.float32(getattr(optimizer, option))))
    if library is not scratchnet and name_of_last_activation(model) == "sigmoid":
        # Behind TimeDistributed Keras does not go back to logits by itself.
        model.layers[-1].layer.activation = library.activations.linear
        model.compile(optimizer, loss=library.losses.BinaryCrossentropy(from_logits=True))


# How many steps in single precision are how near to those in double precision. With relu in its steps a network
# multiplies what rounding begins: one last bit of a weight takes the SimpleRNN 2e-4 off within ten steps.
NEAR = {"SimpleRNN autoencoder": (6, 1e-4), "LSTM autoencoder": (8, 1e-4)}


@pytest.mark.parametrize("name", missions.MISSIONS)
def test_a_hundred_steps(keras, name):
    with double_precision(scratchnet, keras):
        found, expected = (curve(library, name, 100, with_the_same_numbers) for library in (scratchnet, keras))
    np.testing.assert_allclose(found[:40], expected[:40], rtol=1e-10)
    # The LSTM's loss doubles in the tenth step: 1e-16 becomes 7e-9 in a hundred.
    np.testing.assert_allclose(found, expected, rtol=1e-6 if name == "LSTM autoencoder" else 1e-10)
    single, (steps, rtol) = curve(scratchnet, name, 100, with_the_same_numbers), NEAR.get(name, (20, 1e-5))
    np.testing.assert_allclose(single[:steps], found[:steps], rtol=rtol)
    steps = 40 if name in NEAR else 100  # to the end on the same curve, while rounding has not become large
    np.testing.assert_allclose(smooth(single[:steps]), smooth(found[:steps]), rtol=0.01)


def test_a_model_as_it_is_written_follows_keras_until_probabilities_are_cut(keras):
    # In the tenth step the LSTM comes to some that are.
    found, expected = (curve(library, "LSTM autoencoder", 8) for library in (scratchnet, keras))
    np.testing.assert_allclose(found, expected, rtol=1e-4)
