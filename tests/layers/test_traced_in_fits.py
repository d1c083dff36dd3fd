"""Layers and models with `call` in whole fits: random numbers, threads, errors, other processes, what is kept."""

import copy
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import scratchnet
from scratchnet import callbacks, layers, models, ops, set_num_threads
from tests.layers.noisy_program import Autoencoder, Noisy, compiled

X = np.random.default_rng(0).standard_normal((96, 4)).astype("float32")


@pytest.fixture
def threads():
    yield set_num_threads
    set_num_threads(None)


def same(a, b):
    return all(np.array_equal(v, w) for v, w in zip(a, b, strict=True))


# ---- random numbers ----


def test_a_sample_gets_the_same_numbers_whatever_the_parts(threads):
    found = []
    for count in (1, 2, 3):
        threads(count)
        model = compiled()
        history = model.fit(X, X, batch_size=48, epochs=2, verbose=0).history["loss"]
        found.append([history, [model.evaluate(X, X, verbose=0)], model.predict(X, verbose=0)])
    for other in found[1:]:
        for a, b in zip(found[0], other):
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


def test_a_resumed_fit_draws_what_it_would_have_drawn(tmp_path):
    class Killed(Exception):
        pass

    def kill(epoch, logs):
        if epoch == 1:
            raise Killed

    whole = compiled()
    whole.fit(X, X, batch_size=32, epochs=4, verbose=0)
    backup = callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(Killed):
        compiled().fit(X, X, 32, 4, 0, callbacks=[backup, callbacks.LambdaCallback(on_epoch_end=kill)])
    resumed = compiled(seed=5)
    resumed.fit(X, X, 32, 4, 0, callbacks=[callbacks.BackupAndRestore(tmp_path / "backup")])
    assert same(whole.get_weights(), resumed.get_weights())


def test_an_integer_as_seed_repeats_each_call():
    repeated, moving = Autoencoder(seed=7), Autoencoder()
    assert np.array_equal(repeated(X), repeated(X))
    assert not np.array_equal(moving(X), moving(X))


# ---- threads ----


def test_ten_steps_in_four_threads_end_with_the_same_bits_however_often(threads):
    threads(4)

    def ten_steps():
        model = compiled()
        for _ in range(10):
            model.train_on_batch(X, X)
        return model.get_weights()

    first = ten_steps()
    assert all(same(first, ten_steps()) for _ in range(6))


def test_one_layer_in_several_threads_at_once():
    layer = Noisy(6, seed=3)
    layer(X)
    expected = [layer(X[k:]) for k in range(8)]
    found = [None] * 8

    def run(k):
        for _ in range(5):
            found[k] = layer(X[k:])

    running = [threading.Thread(target=run, args=(k,)) for k in range(8)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert same(expected, found)


class Fails(layers.Layer):
    """Its forward fails in the second half of the batch, while the other parts wait for the sum of all."""

    def forward(self, x, training=False):
        if (x[:, 0] > 0).any():
            raise ArithmeticError("the second half")
        return x, None

    def backward(self, dy, cache, needs_dx=True):
        return dy, {}


def test_an_error_in_one_part_is_told_and_nobody_hangs(threads):
    class Model(models.Model):
        def __init__(self):
            super().__init__()
            self.fails, self.dense = Fails(), layers.Dense(2)

        def call(self, x):
            h = self.dense(self.fails(x))
            return h - ops.mean(h, axis=0)  # waits for the other parts

    threads(4)
    model = Model()
    model.compile("sgd", "mse")
    x = -np.abs(X)
    assert np.isfinite(model.train_on_batch(x, x[:, :2]))
    x[64:, 0] = 1
    with pytest.raises(ArithmeticError, match="the second half"):
        model.train_on_batch(x, x[:, :2])


# ---- other processes ----

PROGRAM = """
import pickle
import sys
from pathlib import Path

import numpy as np

from scratchnet import models
from tests.layers.noisy_program import Autoencoder

folder = Path(sys.argv[1])
x = np.load(folder / "x.npy")
by_path = Autoencoder(seed=7)
by_path.build((None, 4))
by_path.load_weights(folder / "w.npz")
cloned = models.clone_model(models.load_model(folder / "m.npz"))
cloned(x)
cloned.set_weights(by_path.get_weights())
found = [models.load_model(folder / "m.npz"), by_path, pickle.loads((folder / "m.pickle").read_bytes()), cloned]
np.save(folder / "found.npy", [model(x) for model in found])
"""


def test_saved_pickled_and_cloned_it_computes_the_same_in_a_new_process(tmp_path):
    model = Autoencoder(seed=7)
    model.compile("adam", "mse")
    model.fit(X, X, epochs=1, verbose=0)
    expected = model(X)
    np.save(tmp_path / "x.npy", X)
    model.save(tmp_path / "m.npz")
    model.save_weights(tmp_path / "w.npz")
    (tmp_path / "m.pickle").write_bytes(pickle.dumps(model))
    with np.load(tmp_path / "w.npz") as stored:
        assert {name.partition("/")[2] for name in stored.files} >= {"blocks.0/dense/kernel", "decoder/bias"}
    folders = [Path(__file__).parents[2], Path(scratchnet.__file__).parents[1], os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for found in np.load(tmp_path / "found.npy"):
        np.testing.assert_array_equal(found, expected)
    copied = copy.deepcopy(model)
    copied.fit(X, X, epochs=1, verbose=0)
    np.testing.assert_array_equal(model(X), expected)  # the copy is independent


# ---- what a graph of many nodes costs ----


class LSTMOfOperations(layers.Layer):
    """The LSTM as a user would write it."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        D, U = input_shape[-1], self.units
        self.W = self.add_weight(shape=(D, 4 * U), name="kernel")
        self.R = self.add_weight(shape=(U, 4 * U), name="recurrent_kernel", initializer="orthogonal")
        self.b = self.add_weight(shape=(4 * U,), name="bias", initializer="zeros")

    def call(self, x):
        U = self.units
        xW = x @ self.W + self.b
        h = c = ops.zeros((ops.shape(x)[0], U))
        for t in range(x.shape[1]):
            z = xW[:, t] + h @ self.R
            i, f, o = ops.sigmoid(z[:, :U]), ops.sigmoid(z[:, U : 2 * U]), ops.sigmoid(z[:, 3 * U :])
            c = f * c + i * ops.tanh(z[:, 2 * U : 3 * U])
            h = o * ops.tanh(c)
        return h


def kept(value, seen):
    """The bytes of all arrays that a cache keeps."""
    if isinstance(value, np.ndarray):
        while isinstance(value.base, np.ndarray):
            value = value.base
        new = id(value) not in seen
        seen[id(value)] = value
        return value.nbytes if new else 0
    if isinstance(value, dict):
        return sum(kept(entry, seen) for entry in value.values())
    if isinstance(value, (list, tuple)):
        return sum(kept(entry, seen) for entry in value)
    return kept(vars(value), seen) if hasattr(value, "__dict__") and not isinstance(value, type) else 0


def test_an_lstm_of_operations_computes_and_keeps_what_the_layer_does():
    N, T, D, U = 32, 28, 8, 16
    x = np.random.default_rng(0).standard_normal((N, T, D)).astype("float32")
    layer, written = layers.LSTM(U), LSTMOfOperations(U)
    layer(x)
    written(x)
    written.set_weights(layer.get_weights())
    y, cache = layer.forward(x, training=True)
    found, traced = written.forward(x, training=True)
    np.testing.assert_allclose(found, y, atol=1e-6)
    dy = np.ones_like(y)
    dx, grads = layer.backward(dy, cache)
    traced_dx, traced_grads = written.backward(dy, traced)
    np.testing.assert_allclose(traced_dx, dx, atol=1e-5)
    for key, gradient in grads.items():
        np.testing.assert_allclose(traced_grads[key], gradient, atol=1e-4)
    nodes = traced.inner.nodes
    assert 400 < len(nodes) < 500
    weights = {id(w): w for w in written.params.values()}
    assert kept(nodes, dict(weights)) + x.nbytes <= 1.1 * kept(cache, {id(w): w for w in layer.params.values()})


@pytest.mark.parametrize("drops", [False, True])
def test_a_mask_that_call_deletes_reaches_no_loss(drops):
    """As in TensorFlow's tutorial on transformers, whose loss leaves out the padding by itself."""

    class Tagger(models.Model):
        def __init__(self):
            super().__init__()
            self.embedding, self.dense = layers.Embedding(5, 4, mask_zero=True), layers.Dense(1)

        def call(self, tokens):
            y = self.dense(self.embedding(tokens))
            if drops:
                del y._keras_mask
                assert not hasattr(y, "_keras_mask")
                with pytest.raises(AttributeError):
                    del y._keras_mask
            return y

    tokens = np.array([[1, 2, 0], [3, 0, 0]])
    model = Tagger()
    model.compile("sgd", "mse")
    errors = np.square(model.predict(tokens, verbose=0)[..., 0] - 1)
    counted = errors if drops else errors[tokens != 0]
    assert model.evaluate(tokens, np.ones((2, 3, 1)), verbose=0) == pytest.approx(counted.mean(), rel=1e-5)
