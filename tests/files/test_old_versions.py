"""A model that version 0.1.0 saved: nested layers, a schedule, and own layer, loss, metric function and activation."""

from pathlib import Path

import numpy as np
import pytest

from scratchnet import activations, losses
from scratchnet.layers import Layer
from scratchnet.models import load_model

FILE = Path(__file__).parent / "version_0_1_0.npz"


class Scale(Layer):
    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def forward(self, x, training=False):
        return x * self.factor, None

    def backward(self, dy, cache, needs_dx=True):
        return dy * self.factor, {}


class LogCosh(losses.Loss):
    def values(self, y_true, y_pred):
        e = y_pred - y_true
        return np.log(np.cosh(e)).mean(axis=-1), e

    def gradient(self, dvalues, cache):
        return np.tanh(cache) / cache.shape[-1] * dvalues


def distance(y_true, y_pred):
    return np.abs(y_true - y_pred).mean(axis=-1)


square = activations.Activation("square", lambda z, out=None: z * z, lambda dy, z: 2 * z * dy, keeps="z")
OWN = {"Scale": Scale, "LogCosh": LogCosh, "distance": distance, "square": square}


def test_a_model_of_version_0_1_0_predicts_scores_and_trains_on_as_it_did():
    model = load_model(FILE, OWN)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 4, 3)).astype("float32"), rng.normal(size=(8, 4, 2)).astype("float32")
    prediction = model.predict(x, verbose=0)
    np.testing.assert_allclose(prediction[0, 0], [-0.23877525329589844, -0.036607615649700165], rtol=1e-5)
    np.testing.assert_allclose(
        model.evaluate(x, y, verbose=0), [0.35772616, 0.7901715, 0.9576449, 0.7901715], rtol=1e-5
    )
    assert model.optimizer.iterations == 4 and model.optimizer.learning_rate == pytest.approx(0.01)
    model.fit(x, y, verbose=0)


def test_what_is_missing_of_ones_own_is_named():
    for name in ("Scale", "distance", "square"):  # a LogCosh is the library's by now
        with pytest.raises(ValueError, match=f"'{name}'.*custom_objects"):
            load_model(FILE, {key: value for key, value in OWN.items() if key != name})


def test_saved_again_it_stays_the_same(tmp_path):
    model = load_model(FILE, OWN)
    model.save(tmp_path / "again.npz")
    again = load_model(tmp_path / "again.npz", OWN)
    x = np.random.default_rng(1).normal(size=(2, 4, 3))
    np.testing.assert_array_equal(model.predict(x, verbose=0), again.predict(x, verbose=0))
    assert again.get_config() == model.get_config()
