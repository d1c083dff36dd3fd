"""Variables that become attributes of a layer, and such as belong to nobody."""

import numpy as np
import pytest

from scratchnet import Variable, backend, layers, losses, models, ops, optimizers
from scratchnet.callbacks import LambdaCallback

X = np.random.default_rng(0).standard_normal((48, 3)).astype("float32")


def test_a_variable_that_becomes_an_attribute_is_a_weight():
    class Scale(layers.Layer):
        def __init__(self):
            super().__init__()
            self.w = Variable(np.full(3, 2.0), dtype="float32")
            self.offset = Variable(np.zeros(3), dtype="float32", trainable=False, name="b")
            self.steps = Variable(0, dtype="int32")

        def call(self, x):
            self.steps.assign_add(1)
            return x * self.w + self.offset

    layer = Scale()
    assert [w.name for w in layer.weights] == ["w", "b", "steps"] and [w.name for w in layer.trainable_weights] == ["w"]
    model = models.Sequential([layers.Input((3,)), layer])
    model.compile("sgd", "mse")
    model.fit(X, X, epochs=30, batch_size=16, verbose=0)
    assert (layer.w.numpy() < 1.99).all() and not layer.offset.numpy().any() and layer.steps.numpy() == 90
    layer.w = Variable(np.ones(3), dtype="float32")
    np.testing.assert_array_equal(layer(X), X)
    assert len(layer.weights) == 3


def test_in_a_list_it_would_be_forgotten():
    class Listed(layers.Layer):
        def __init__(self):
            super().__init__(name="listed")
            self.ws = [Variable(1.0, name="w")]

        def call(self, x):
            return x * self.ws[0]

    with pytest.raises(TypeError, match="'w' stands in a list or dict, where it is no weight of the layer"):
        Listed()(X)


def test_a_variable_of_nobody_is_looked_up_anew_at_every_step():
    beta = backend.variable(0.0, name="beta")

    class Annealed(losses.Loss):
        def call(self, y_true, y_pred):
            return ops.mean(ops.square(y_true - y_pred), axis=-1) * (1 - beta)

    model = models.Sequential([layers.Input((3,)), layers.Dense(3, kernel_initializer="zeros")])
    model.compile(optimizers.SGD(1e-9), Annealed())
    full = model.evaluate(X, X, verbose=0)
    backend.set_value(beta, 0.75)
    assert model.evaluate(X, X, verbose=0) == pytest.approx(full / 4)
    annealing = LambdaCallback(on_epoch_begin=lambda epoch, logs: backend.update(beta, 1.0 - epoch))
    history = model.fit(X, X, epochs=2, verbose=0, callbacks=[annealing]).history["loss"]
    assert history == pytest.approx([0, full], rel=1e-5)
    backend.update_add(beta, 2.0)
    assert beta.numpy() == 2.0

    x = layers.Input((3,))
    scaled = models.Model(x, beta * x)
    np.testing.assert_allclose(scaled(X), 2 * X)
    beta.assign(-1.0)
    np.testing.assert_allclose(scaled.predict(X, verbose=0), -X)


def test_one_of_nobody_cannot_be_assigned_by_a_call():
    outside = Variable(1.0, name="outside")

    class Assigns(layers.Layer):
        def call(self, x):
            outside.assign_add(1.0)
            return x

    with pytest.raises(TypeError, match="assignment to 'outside' inside call: what a call moves on is a weight"):
        Assigns()(X)
