"""Weights that `call` assigns: state moves on with every use, parameters obey after every step."""

import numpy as np
import pytest

from scratchnet import config, layers, models, ops, set_num_threads

X = np.arange(12.0).reshape(4, 3)


class Sum(layers.Layer):
    """Its output is the sum of all that it has seen."""

    def __init__(self, dim):
        super().__init__()
        self.total = self.add_weight(shape=(dim,), initializer="zeros", trainable=False)
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, dtype="int32")

    def call(self, x):
        self.calls.assign_add(1)
        self.total.assign_add(ops.sum(x, axis=0))
        return self.total


class Masked(layers.Layer):
    """A Dense layer half of whose kernel is 0."""

    def __init__(self, mask):
        super().__init__()
        self.dense = layers.Dense(2)
        self.mask = mask

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, x):
        self.dense.kernel.assign(self.dense.kernel * self.mask)
        return self.dense(x)


def test_state_moves_on_with_every_call():
    layer = Sum(3)
    np.testing.assert_array_equal(layer(X).numpy(), X.sum(0))
    np.testing.assert_array_equal(layer(X).numpy(), 2 * X.sum(0))
    assert int(layer.calls) == 2


@pytest.mark.parametrize("threads", [1, 2])
def test_state_moves_on_with_every_step_and_prediction(threads):
    inputs, layer = layers.Input((3,)), Sum(3)
    model = models.Model(inputs, layers.Dense(1)(inputs + layer(inputs)))
    model.compile("sgd", "mse")
    set_num_threads(threads)
    try:
        model.fit(X / 100, X[:, :1], batch_size=2, epochs=3, verbose=0)
        np.testing.assert_allclose(layer.total.numpy(), 3 * (X / 100).sum(0), rtol=1e-6)
        model.predict(X / 100, batch_size=2, verbose=0)
    finally:
        set_num_threads(None)
    np.testing.assert_allclose(layer.total.numpy(), 4 * (X / 100).sum(0), rtol=1e-6)
    assert int(layer.calls) == 8


def test_no_gradient_flows_into_what_was_assigned():
    class Scaled(layers.Layer):
        def __init__(self):
            super().__init__()
            self.w = self.add_weight(shape=(3,), initializer="ones", name="w")
            self.last = self.add_weight(shape=(3,), initializer="zeros", trainable=False, name="last")

        def call(self, x):
            self.last.assign(self.w * 2)
            return x * self.w + self.last

    layer = Scaled()
    y, cache = layer.forward(X.astype(config.floatx()))
    np.testing.assert_array_equal(y, X + 2)
    _, grads = layer.backward(np.ones_like(y), cache)
    np.testing.assert_array_equal(grads["w"], X.sum(0))


def test_a_parameter_obeys_after_every_step():
    mask = np.array([[1, 0], [0, 1], [1, 0]], "float32")
    model = models.Sequential([layers.Input((3,)), Masked(mask)])
    layer = model.layers[-1]
    model.compile("sgd", "mse")
    model.fit(X / 10, X[:, :2], epochs=2, verbose=0)
    assert (layer.dense.kernel.numpy()[mask == 0] == 0).all() and layer.dense.kernel.numpy().any()
    layer.dense.kernel.assign(np.ones((3, 2)))  # as a file may hold it
    np.testing.assert_allclose(model.predict(X, verbose=0), X @ mask + layer.dense.bias.numpy(), rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda self, x: self.w.assign(ops.sum(x, axis=0)) * x, "must not depend on the data"),
        (lambda self, x: self.w.assign(ops.ones(2)) * x, r"has shape \(3,\), got \(2,\)"),
        (lambda self, x: self.inner.total.assign(ops.ones(3)) * x, "assigned by the layer that has it"),
    ],
)
def test_what_cannot_be_assigned_is_refused(call, said):
    class Own(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Sum(3)
            self.w = self.add_weight(shape=(3,), initializer="ones", name="w")

    cls = type("Called", (Own,), {"call": call})
    with pytest.raises((TypeError, ValueError), match=said):
        cls()(X)
