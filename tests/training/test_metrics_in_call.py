"""A metric that a layer or model holds, and adds to in `call`, is shown beside those of compile."""

import numpy as np
import pytest

from scratchnet import layers, losses, metrics, ops, set_num_threads
from scratchnet.models import Model

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")


class Endpoint(layers.Layer):
    def __init__(self):
        super().__init__()
        self.loss = losses.BinaryCrossentropy(from_logits=True)
        self.accuracy = metrics.BinaryAccuracy(threshold=0.0, name="inner_accuracy")

    def call(self, logits, targets=None):
        if targets is not None:
            self.add_loss(self.loss(targets, logits))
            self.accuracy.update_state(targets, logits)
        return ops.sigmoid(logits)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_layer_s_metric_counts_every_sample_in_fit_and_evaluate(threads):
    inputs, targets = layers.Input((3,)), layers.Input((1,))
    model = Model([inputs, targets], Endpoint()(layers.Dense(1)(inputs), targets))
    model.compile("sgd")
    set_num_threads(threads)
    try:
        logs = model.fit([X, Y], batch_size=5, epochs=2, verbose=0).history
        found = model.evaluate([X, Y], batch_size=4, verbose=0, return_dict=True)
    finally:
        set_num_threads(None)
    assert list(logs) == ["inner_accuracy", "loss"]
    p = model.predict([X, Y], verbose=0)
    assert found["inner_accuracy"] == pytest.approx(np.mean((p > 0.5) == Y))


class Autoencoder(Model):
    def __init__(self):
        super().__init__()
        self.dense, self.error = layers.Dense(3), metrics.Mean(name="error")

    def call(self, x):
        y = self.dense(x)
        self.error(ops.mean(ops.square(x - y)))
        return y


def test_a_model_s_metric_is_shown_with_those_of_compile():
    model = Autoencoder()
    model.compile("sgd", "mse", metrics=["mae"])
    logs = model.evaluate(X, X, verbose=0, return_dict=True, batch_size=12)
    assert list(logs) == ["error", "loss", "mae"] and logs["error"] == pytest.approx(logs["loss"], rel=1e-5)
    history = model.fit(X, X, validation_data=(X, X), batch_size=12, epochs=2, verbose=0).history
    np.testing.assert_allclose(history["error"], history["loss"], rtol=1e-5)
    np.testing.assert_allclose(history["val_error"], history["val_loss"], rtol=1e-5)
    model(X)
    assert model.error.result() > 0
