"""Layers that compute in another dtype than the model around them: each brings floats into its own."""

import numpy as np
import pytest

from scratchnet.layers import (
    GRU,
    LSTM,
    Activation,
    Bidirectional,
    Dense,
    Flatten,
    Input,
    Layer,
    Reshape,
    TimeDistributed,
)
from scratchnet.models import Model, Sequential, load_model
from scratchnet.registry import deserialize, serialize


def two_dtypes(*within):
    x = Input((4,))
    hidden = Dense(5, activation="tanh")(x)
    for layer in within:
        hidden = layer(hidden)
    return Model(x, Dense(1)(hidden))


def in_float64(*within):
    model = two_dtypes(*within)
    config = model.get_config()
    for layer in config["layers"]:
        layer["config"]["dtype"] = "float64"
    twin = Model.from_config(config)
    twin.set_weights(model.get_weights())
    return model, twin


@pytest.mark.parametrize(
    "within",
    [
        [Dense(3, dtype="float64")],
        [Dense(3, dtype="float64"), Activation("softmax")],
        [Reshape((5, 1)), LSTM(3, dtype="float64", return_sequences=True), GRU(2)],
        [Reshape((5, 1)), Bidirectional(LSTM(3, dtype="float64")), Dense(2)],
        [Reshape((5, 1)), TimeDistributed(Dense(3, dtype="float64")), Flatten()],
        [Sequential([Input((5,)), Dense(3, dtype="float64")])],
    ],
    ids=lambda within: " ".join(type(layer).__name__ for layer in within),
)
def test_a_layer_brings_floats_into_its_own_dtype(within):
    within = [deserialize(serialize(layer)) for layer in within]
    model = two_dtypes(*within)
    assert {w.dtype.name for w in model.get_weights()} == {"float32", "float64"}
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(16, 4)), rng.normal(size=(16, 1))
    twin = in_float64(*[deserialize(serialize(layer)) for layer in within])[1]
    twin.set_weights(model.get_weights())
    for one in (model, twin):
        one.compile("sgd", "mse")
    np.testing.assert_allclose(model.predict(x, verbose=0), twin.predict(x, verbose=0), rtol=1e-4, atol=1e-6)
    losses = [one.fit(x, y, epochs=3, batch_size=8, shuffle=False, verbose=0).history["loss"] for one in (model, twin)]
    np.testing.assert_allclose(*losses, rtol=1e-5)
    for ours, wanted in zip(model.get_weights(), twin.get_weights()):
        np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-6)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(twin.evaluate(x, y, verbose=0), rel=1e-5)


def test_the_last_layer_decides_about_the_dtype_of_predictions(tmp_path):
    model = Sequential([Input((4,)), Dense(3), Activation("softmax", dtype="float64")])
    assert model.output.dtype == "float64"
    x = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    y = model.predict(x, verbose=0)
    assert y.dtype == "float64" and model(x).dtype == "float64"
    model.save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    assert [layer.compute_dtype for layer in again.layers] == ["float32", "float64"]
    np.testing.assert_array_equal(again.predict(x, verbose=0), y)


def test_a_layer_of_another_dtype_within_call():
    class Scaled(Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = Dense(3, dtype="float64")

        def build(self, input_shape):
            self.factor = self.add_weight(shape=(3,), initializer="ones", name="factor")
            self.dense.build(input_shape)

        def call(self, x):
            return self.factor * self.dense(x)

    model = Sequential([Input((4,)), Scaled(), Dense(1)])
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(16, 4))
    before = model.get_weights()
    losses = model.fit(x, x[:, :1], epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0] and all((a != b).any() for a, b in zip(before, model.get_weights()))
    assert [w.dtype.name for w in model.get_weights()] == ["float32", "float64", "float64", "float32", "float32"]
