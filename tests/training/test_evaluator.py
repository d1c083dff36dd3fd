"""evaluate and predict: what they return."""

import numpy as np
import pytest

import scratchnet
from scratchnet import callbacks, layers
from scratchnet.layers import Dense, Input
from scratchnet.models import Model, Sequential
from scratchnet.utils import set_random_seed


@pytest.fixture(autouse=True)
def default_threads():
    yield
    scratchnet.set_num_threads(None)


def classifier(*, seed=0, extra=(), loss="sparse_categorical_crossentropy", optimizer="adam"):
    set_random_seed(seed)
    model = Sequential([Input((5,)), Dense(8, activation="tanh"), *extra, Dense(3, activation="softmax")])
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def data(count=90, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, count)
    return (rng.normal(size=(count, 5)) + y[:, None]).astype("float32"), y


def test_evaluate_returns_what_keras_returns():
    x, y = data()
    model = classifier()
    assert list(model.evaluate(x, y, verbose=0, return_dict=True)) == ["loss", "accuracy"]
    assert len(model.evaluate(x, y, verbose=0)) == 2
    model.compile("adam", "sparse_categorical_crossentropy")
    assert isinstance(model.evaluate(x, y, verbose=0), float)


def test_single_batches():
    x, y = data()
    model = classifier()
    assert model.test_on_batch(x, y, return_dict=True)["loss"] == pytest.approx(model.evaluate(x, y, verbose=0)[0])
    before = model.test_on_batch(x, y)[0]
    for _ in range(20):
        model.train_on_batch(x, y)
    assert model.test_on_batch(x, y)[0] < before
    assert model.predict_on_batch(x).shape == (90, 3)


def test_callbacks_of_predict_are_told_the_outputs():
    seen = []
    inputs = layers.Input((3,))
    model = Model(inputs, {"a": layers.Dense(2)(inputs), "b": layers.Dense(1)(inputs)})
    told = callbacks.LambdaCallback()
    told.on_predict_batch_end = lambda batch, logs=None: seen.append((batch, logs["outputs"]))
    y = model.predict(np.ones((5, 3)), batch_size=2, verbose=0, callbacks=[told])
    assert [(k, out["a"].shape, out["b"].shape) for k, out in seen] == [
        (k, (n, 2), (n, 1)) for k, n in enumerate((2, 2, 1))
    ]
    np.testing.assert_array_equal(np.concatenate([out["a"] for _, out in seen]), y["a"])
