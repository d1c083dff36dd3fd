"""Whatever a model ends in, an activation of a layer, an operation, a layer with `call`: it is trained on logits."""

import numpy as np
import pytest

from scratchnet import ops
from scratchnet.layers import Dense, Input, Layer
from scratchnet.models import Model, Sequential


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
