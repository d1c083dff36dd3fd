"""A call as if the weights had other values."""

import numpy as np
import pytest

from scratchnet import Model, Sequential
from scratchnet.layers import BatchNormalization, Dense, Input

rng = np.random.default_rng(0)
x = rng.normal(size=(8, 3)).astype("float32")


@pytest.fixture
def model():
    first = Dense(4, kernel_initializer="ones", activity_regularizer="l2")
    return Sequential([Input((3,)), first, BatchNormalization(), Dense(1, kernel_regularizer="l2")])


def values(variables):
    return [variable.numpy() for variable in variables]


def test_it_computes_with_the_given_values_and_leaves_its_own(model):
    own = model.get_weights()
    trained, fixed = values(model.trainable_variables), values(model.non_trainable_variables)
    trained[-1] = trained[-1] + 1
    y, now = model.stateless_call(trained, fixed, x)
    np.testing.assert_allclose(y, model(x) + 1, rtol=1e-6)
    assert len(now) == 2
    for a, b in zip([*own, *fixed], [*model.get_weights(), *now]):
        np.testing.assert_array_equal(a, b)


def test_averages_move_on_in_what_is_returned_alone(model):
    trained, fixed = values(model.trainable_variables), values(model.non_trainable_variables)
    _, now = model.stateless_call(trained, fixed, x, training=True)
    again = model.stateless_call(trained, now, x, training=True)[1]
    np.testing.assert_array_equal(model.layers[1].moving_mean, np.zeros(4))
    mean = 0.01 * np.mean(x @ np.ones((3, 4)), axis=0)
    np.testing.assert_allclose(now[0], mean, rtol=1e-5)
    np.testing.assert_allclose(again[0], 1.99 * mean, rtol=1e-5)


def test_losses_are_those_of_the_given_values(model):
    trained, fixed = values(model.trainable_variables), values(model.non_trainable_variables)
    *_, losses = model.stateless_call([0 * w for w in trained], fixed, x, return_losses=True)
    assert losses == [0, 0] and model.losses[-1] > 0
    model(x)
    expected = [float(loss) for loss in model.losses]
    *_, losses = model.stateless_call(trained, fixed, x, return_losses=True)
    assert [float(loss) for loss in losses] == expected


def test_of_layers_and_of_models_with_call(model):
    layer = model.layers[0]
    y, now = layer.stateless_call([np.zeros((3, 4)), np.arange(4)], [], x)
    assert np.array_equal(y, np.tile(np.arange(4), (8, 1))) and now == []

    class Own(Model):
        def __init__(self):
            super().__init__()
            self.dense = Dense(2)

        def call(self, x):
            return self.dense(x)

    own = Own()
    with pytest.raises(ValueError, match="stateless_call comes after build"):
        own.stateless_call([], [], x)
    own(x)
    assert np.array_equal(own.stateless_call([np.zeros((3, 2)), np.ones(2)], [], x)[0], np.ones((8, 2)))
    with pytest.raises(ValueError, match="trainable_variables has 1 entries, the layer 2 of them"):
        own.stateless_call([np.zeros((3, 2))], [], x)
