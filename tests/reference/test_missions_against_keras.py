"""The seven models from the same weights over the same batches: the losses follow Keras's."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import scratchnet

pytestmark = [pytest.mark.reference, pytest.mark.filterwarnings("ignore")]

_spec = importlib.util.spec_from_file_location("missions", Path(__file__).parents[2] / "benches" / "missions.py")
missions = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(missions)


def curve(library, name, steps, learning_rate, weights, dtype="float32"):
    """The loss before each step."""
    library.config.set_floatx(dtype)
    try:
        model = missions.make(name, library, learning_rate)
        model.set_weights([w.astype(dtype) for w in weights])
        return np.array(missions.losses_of_steps(name, model, steps))
    finally:
        library.config.set_floatx("float32")


def first_weights(name):
    scratchnet.utils.set_random_seed(1)
    return missions.make(name, scratchnet).get_weights()


def smooth(losses):
    return np.convolve(losses, np.ones(10) / 10, "valid")


def rounding(name, learning_rate, weights, found):
    """How far rounding alone takes our curve from the exact one: in float32, and with each weight one bit off.

    A step multiplies a difference; what begins in the last bit may be several percent after a hundred steps.
    """
    exact = smooth(curve(scratchnet, name, 100, learning_rate, weights, dtype="float64"))
    rng = np.random.default_rng(0)
    curves = [found]
    for _ in range(3):
        nudged = [np.nextafter(w, np.where(rng.random(w.shape) < 0.5, -np.inf, np.inf), dtype=w.dtype) for w in weights]
        curves.append(curve(scratchnet, name, 100, learning_rate, nudged))
    return max(np.max(np.abs(smooth(losses) - exact) / exact) for losses in curves)


def check_same_curve(name, learning_rate, weights, found, expected):
    """To the end both stay on the same curve, as near as two that round differently can be."""
    apart = np.max(np.abs(smooth(found) - smooth(expected)) / smooth(expected))
    if not apart <= 0.02:  # the question that takes four more trainings is asked only then
        assert apart <= 2 * rounding(name, learning_rate, weights, found)


@pytest.mark.parametrize("name", [name for name in missions.MISSIONS if name != "LSTM autoencoder"])
def test_a_hundred_steps(keras, name):
    weights = first_weights(name)
    found, expected = (curve(library, name, 100, 0.001, weights) for library in (scratchnet, keras))
    np.testing.assert_allclose(found[:20], expected[:20], rtol=1e-4)
    check_same_curve(name, 0.001, weights, found, expected)


def test_the_relu_lstm_follows_keras_until_it_blows_up(keras):
    # With Adam's default its loss doubles in the tenth step, and from there rounding decides: within 20 steps Keras's
    # own backends are 1 % (torch) and 16 % (JAX) from Keras on TensorFlow.
    name = "LSTM autoencoder"
    weights = first_weights(name)
    found, expected = (curve(library, name, 8, 0.001, weights) for library in (scratchnet, keras))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_relu_lstm_stays_as_near_to_keras_as_rounding_lets_it(keras):
    # With a tenth of the learning rate 40 steps are calm (1.8e-7 apart). After them it is chaotic too: Keras's own
    # backends are up to 4.5 % apart.
    name = "LSTM autoencoder"
    weights = first_weights(name)
    found, expected = (curve(library, name, 100, 0.0001, weights) for library in (scratchnet, keras))
    np.testing.assert_allclose(found[:40], expected[:40], rtol=1e-5)
    check_same_curve(name, 0.0001, weights, found, expected)
