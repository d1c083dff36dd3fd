"""A function of one's own as an activation: its derivative, what is refused, and that it is written down."""

import copy
import pickle

import numpy as np
import pytest

from scratchnet import activations, layers, models, ops, registry
from scratchnet.gradient_check import check_layer

X = np.random.default_rng(0).normal(size=(4, 3))


def soft(z):
    return ops.log(1.0 + ops.exp(z))


@pytest.mark.parametrize(
    ("layer", "x"),
    [
        (layers.Dense(2, activation=soft, dtype="float64"), X),
        (layers.Activation(lambda z: z * ops.sigmoid(z), dtype="float64"), X),
        (layers.LSTM(2, activation=soft, recurrent_activation=lambda z: ops.tanh(z) ** 2, dtype="float64"), X[None]),
    ],
    ids=["Dense", "Activation", "LSTM"],
)
def test_its_derivative_is_found(layer, x):
    check_layer(layer, x).raise_if_failed()


def test_where_the_gradient_stops_it_is_0():
    layer = layers.Activation(ops.stop_gradient)
    y, cache = layer.forward(X)
    dx, _ = layer.backward(np.ones_like(y), cache)
    np.testing.assert_array_equal(dx, np.zeros_like(X))


def test_it_is_the_function_on_arrays_and_on_tensors():
    activation = activations.get(soft)
    np.testing.assert_allclose(activation(X), np.log1p(np.exp(X)))
    inputs = layers.Input((3,))
    model = models.Model(inputs, activation(inputs))
    np.testing.assert_allclose(model.predict(X, verbose=0), np.log1p(np.exp(X)), rtol=1e-6)


def test_it_trains_as_the_activation_of_that_name():
    fits = []
    for activation in ("softplus", soft):
        model = models.Sequential([layers.Input((3,)), layers.Dense(4, activation), layers.Dense(1)])
        model.set_weights([np.full(w.shape, 0.1) for w in model.get_weights()])
        model.compile("sgd", "mse")
        fits.append(model.fit(X, X[:, :1], epochs=3, verbose=0).history["loss"])
    np.testing.assert_allclose(*fits, rtol=1e-6)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda z: ops.sum(z, axis=1), "keeps the shape"),
        (lambda z: ops.softmax(z, axis=0), "looks across the samples"),
    ],
)
def test_what_is_no_activation_is_refused(function, said):
    with pytest.raises(ValueError, match=said):
        layers.Dense(2, activation=function)(X)


def test_parameters_of_a_layer_would_get_no_gradient():
    dense = layers.Dense(3)
    dense.build((None, 3))
    with pytest.raises(ValueError, match="would get no gradient"):
        layers.Dense(3, activation=lambda z: dense(z))(X)


def test_a_model_with_one_is_saved_copied_and_pickled(tmp_path):
    model = models.Sequential([layers.Input((3,)), layers.Dense(2, activation=soft)])
    expected = model.predict(X, verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = models.load_model(tmp_path / "m.keras", custom_objects={"soft": soft})
    for other in (loaded, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.predict(X, verbose=0), expected)


def test_what_is_put_in_the_place_of_an_activation_becomes_one():
    layer = layers.Dense(2)
    layer.activation = lambda x: x * x
    assert layer.activation.forward(np.array([[3.0]]))[0] == 9.0
    layer.activation = ops.tanh
    assert layer.activation is activations.tanh
    for wrong, kind in (("nonsense", ValueError), (5, TypeError)):
        with pytest.raises(kind, match="activation"):
            layer.activation = wrong


def test_a_layer_with_call_may_keep_one():
    class Squared(layers.Layer):
        def __init__(self, activation):
            super().__init__()
            self.activation = activations.get(activation)

        def call(self, x):
            return self.activation(x)

    layer = Squared(ops.square)
    assert layer(np.full((1, 1), 3.0, "float32")).tolist() == [[9.0]] and layer.sublayers == {}


def test_an_activation_that_is_a_lambda_is_written_and_given_by_whoever_reads_it():
    config = layers.Dense(2, activation=lambda x: x * 2).get_config()
    with pytest.raises(ValueError, match="a saved lambda would have to be run to be read.*'<lambda>'"):
        layers.Dense.from_config(config)
    with registry.CustomObjectScope({"<lambda>": lambda x: x * 2}):
        assert layers.Dense.from_config(config).activation(np.ones(1)).tolist() == [2.0]
