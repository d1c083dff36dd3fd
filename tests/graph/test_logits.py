"""Whatever a model ends in, an activation of a layer, an operation, a layer with `call`: it is trained on logits."""

import numpy as np
import pytest

from scratchnet import losses, ops
from scratchnet.layers import Conv2D, Dense, Flatten, Input, Layer, Reshape, Softmax
from scratchnet.losses import Loss
from scratchnet.models import Model, Sequential
from scratchnet.optimizers import SGD


class Head(Layer):
    def __init__(self, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.dense = Dense(3, activation=activation)
        self.by_operation = activation is None

    def call(self, x):
        y = self.dense(x)
        return ops.softmax(y) if self.by_operation else y


class Classifier(Model):
    def __init__(self, head, **kwargs):
        super().__init__(**kwargs)
        self.head = head

    def call(self, x, training=None):
        return self.head(x)


class WithAuxiliary(Classifier):
    """The probabilities are read by somebody else, too."""

    def call(self, x, training=None):
        p = self.head(x)
        self.add_loss(ops.sum(p[:, 0]) / 4)
        return p


def functional(head):
    x = Input((2,))
    return Model(x, head(x))


@pytest.mark.parametrize("make", [Classifier, WithAuxiliary, functional, lambda head: Sequential([Input((2,)), head])])
@pytest.mark.parametrize(
    "head",
    [
        lambda: Dense(3, activation="softmax"),
        lambda: Head(),
        lambda: Head("softmax"),
        lambda: Sequential([Dense(3), Head("softmax")]),
        lambda: (lambda dense: lambda x: ops.softmax(dense(x)))(Dense(3)),
    ],
)
def test_a_softmax_at_the_end_is_trained_through_however_sure_it_is(make, head):
    head = head()
    if not isinstance(head, Layer) and make is not functional:
        pytest.skip("a function is no layer")
    model = make(head)
    x, y = np.ones((4, 2)), np.zeros(4)
    model(x)
    model.set_weights([np.zeros(w.shape) + (0, 0, 60)[: w.shape[-1]] for w in model.get_weights()])
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert model.evaluate(x, y, verbose=0) > 170  # of probabilities it is 16 at most
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    assert np.abs(model.get_weights()[0] - before[0]).max() > 1e-3
    np.testing.assert_allclose(model.predict(x, verbose=0).sum(axis=1), 1, rtol=1e-5)


def test_a_softmax_over_another_axis_stays():
    x = Input((3,))
    model = Model(x, ops.softmax(Dense(3)(x), axis=0))
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(np.ones((2, 3)), np.zeros(2), verbose=0)
    assert model._objective.model is model


def test_a_sigmoid_that_is_an_operation():
    x = Input((1,))
    model = Model(x, ops.sigmoid(x * 100.0))
    model.compile("sgd", "binary_crossentropy")
    assert model.evaluate(np.ones((2, 1)), np.zeros((2, 1)), verbose=0) == pytest.approx(100)


SURE = np.array([[40, 0, 0], [0, 0, 0]], "float32")


def learnt(model, loss, label):
    """How far one step moves the first kernel of a model that is sure, and wrong."""
    model.compile(SGD(1.0), loss)
    kernel = model.weights[0]
    kernel.assign(SURE[:, : kernel.shape[-1]].reshape(kernel.shape) * (-5 if kernel.shape[-1] == 1 else 1))
    before = kernel.numpy().copy()
    x = np.array([[1, 0.5]], "float32").reshape(1, *model.input_shape[1:])
    value = model.train_on_batch(x, label)
    return value, (before - kernel.numpy()).reshape(2, -1)


SOFTMAX = np.array([[1, -1, 0], [0.5, -0.5, 0]])


@pytest.mark.parametrize(
    "stack",
    [
        [Input((2,)), Dense(3, activation="softmax"), Reshape((3,))],
        [Input((2,)), Dense(3, activation="softmax"), Reshape((1, 3)), Flatten()],
        [Input((1, 1, 2)), Conv2D(3, 1, activation="softmax"), Flatten()],
        [Input((2,)), Sequential([Input((2,)), Dense(3), Softmax()]), Flatten()],
        [Input((2,)), Sequential([Input((2,)), Dense(3, activation="softmax"), Flatten()])],
    ],
)
def test_another_shape_behind_a_softmax_is_no_hindrance(stack):
    value, step = learnt(Sequential(stack), "sparse_categorical_crossentropy", np.array([1]))
    assert value == 40
    np.testing.assert_allclose(step, SOFTMAX, atol=1e-2)


def test_nor_behind_a_sigmoid():
    value, step = learnt(
        Sequential([Input((1, 1, 2)), Conv2D(1, 1, activation="sigmoid"), Flatten()]), "binary_crossentropy", [[1.0]]
    )
    assert value == 200
    np.testing.assert_allclose(step, [[-1], [-0.5]], atol=1e-2)


def test_a_softmax_whose_classes_are_no_longer_the_last_axis_stays():
    model = Sequential([Input((2, 2)), Dense(3, activation="softmax"), Flatten()])
    model.compile("sgd", "categorical_crossentropy")
    x, y = np.ones((1, 2, 2), "float32"), np.eye(6)[[0]]
    p = model.predict(x, verbose=0)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(-np.log(p[0, 0] / p.sum()), rel=1e-5)


def test_outputs_before_and_behind_the_other_shape():
    x = Input((2,))
    p = Dense(3, activation="softmax", name="p")(x)
    model = Model(x, [p, Reshape((1, 3), name="q")(p), Dense(1, name="r")(p)])
    model.compile(SGD(0.0), ["sparse_categorical_crossentropy"] * 2 + ["mse"])
    data, y = np.array([[1, 0.5]], "float32"), [np.array([1]), np.array([[1]]), np.array([[0.0]])]
    model.weights[0].assign(SURE)
    total, *parts = model.train_on_batch(data, y)
    assert parts[:2] == [40, 40] and total == pytest.approx(sum(parts))


class Thrice(Loss):
    def call(self, y_true, y_pred):
        return 3 * losses.sparse_categorical_crossentropy(y_true, y_pred)


@pytest.mark.parametrize(
    "loss, factor",
    [
        (lambda t, p: losses.sparse_categorical_crossentropy(t, p), 1),
        (lambda t, p: 2 * ops.mean(ops.sparse_categorical_crossentropy(t, p)), 2),
        (lambda t, p: ops.categorical_crossentropy(ops.one_hot(ops.cast(ops.reshape(t, (-1,)), "int32"), 3), p), 1),
        (Thrice(), 3),
    ],
)
def test_a_loss_of_one_s_own_goes_back_to_the_logits_too(loss, factor):
    model = Sequential([Input((2,)), Dense(3, activation="softmax")])
    value, step = learnt(model, loss, np.array([1]))
    assert value == 40 * factor
    np.testing.assert_allclose(step, factor * SOFTMAX, atol=1e-2)


def test_a_binary_one_too():
    model = Sequential([Input((2,)), Dense(1, activation="sigmoid")])
    value, step = learnt(model, lambda t, p: losses.binary_crossentropy(t, p), np.array([[1.0]]))
    assert value == 200
    np.testing.assert_allclose(step, [[-1], [-0.5]], atol=1e-2)
