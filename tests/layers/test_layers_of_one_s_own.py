"""Layers of one's own that break the contract: each is named as the culprit, as early as it can be."""

import numpy as np
import pytest

from scratchnet.layers import Dense, Input, Layer
from scratchnet.models import Model, Sequential

X = np.random.default_rng(0).standard_normal((6, 3)).astype("float32")


def test_the_old_signature_of_backward_is_refused_where_it_is_written():
    with pytest.raises(TypeError, match=r"Old.backward must have the form backward\(self, dy, cache, needs_dx=True\)"):

        class Old(Layer):
            def backward(self, dy, cache):
                return dy, {}

    with pytest.raises(TypeError, match=r"Deaf.forward must have the form forward\(self, x, training=False\)"):

        class Deaf(Layer):
            def forward(self, x):
                return x, None


class NoCache(Layer):
    def forward(self, x, training=False):
        return 2 * x

    def backward(self, dy, cache, needs_dx=True):
        return 2 * dy, {}


class Lies(NoCache):
    def compute_output_shape(self, input_shape):
        return input_shape[0], 7

    def forward(self, x, training=False):
        return x, None


class WrongKey(Layer):
    def build(self, input_shape):
        self.add_weight("w", (input_shape[-1],), "ones")
        self.built = True

    def forward(self, x, training=False):
        return x * self.params["w"], x

    def backward(self, dy, cache, needs_dx=True):
        return dy * self.params["w"], {"W": (dy * cache).sum(axis=0)}


class Forgetful(Layer):
    def __init__(self):
        self.size = 1


def test_a_forward_without_a_cache_is_no_pair_even_for_two_rows():
    with pytest.raises(TypeError, match=r'NoCache "no_cache.*forward must return \(y, cache\)'):
        NoCache()(X[:2])


def test_a_shape_that_lies_is_found_at_the_layer():
    message = r'Lies "lies.*forward returned an output of shape \(., 3\), compute_output_shape promised'
    with pytest.raises(ValueError, match=message):
        Lies()(X)
    with pytest.raises(ValueError, match=message):
        Model(x := Input((3,)), Dense(1)(Lies()(x))).predict(X, verbose=0)


def test_a_wrong_key_in_grads_is_told():
    model = Sequential([Input((3,)), WrongKey(), Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"WrongKey .* no gradient of \['w'\]: grads has the keys \['W'\]"):
        model.fit(X, X[:, :1], verbose=0)


def test_a_forgotten_constructor_is_named():
    with pytest.raises(TypeError, match=r"Forgetful.__init__ must call super\(\).__init__\(\)"):
        Forgetful()


def test_a_scalar_weight_is_a_scalar_and_both_ways_of_add_weight_are_taken():
    class Scaled(Layer):
        def build(self, input_shape):
            self.add_weight(shape=(), initializer="ones", name="by_keyword")
            self.add_weight("by_position", (2,), "zeros")
            self.built = True

    layer = Scaled()
    layer.build((None, 2))
    assert layer.by_keyword.shape == () and layer.by_position.shape == (2,)
    with pytest.raises(ValueError, match="already has a weight named 'by_position'"):
        layer.add_weight(shape=(), name="by_position")


def test_an_activation_can_be_exchanged_by_name():
    layer = Dense(2, activation="relu")
    layer.activation = None
    assert layer(X).min() < 0
    layer.activation = "relu"
    assert layer(X).min() == 0


def test_an_unbuilt_stack_knows_its_output_s_shape_and_nested_inputs_are_taken():
    assert Sequential([Dense(4), Dense(2)]).compute_output_shape((None, 3)) == (None, 2)
    x, y = Input((3,)), Input((3,))
    model = Model({"a": {"b": x}, "c": [y]}, Dense(1)(x) + Dense(1)(y))
    assert model.predict({"a": {"b": X}, "c": [X]}, verbose=0).shape == (6, 1)
    with pytest.raises(ValueError, match=r"expected a dict with the inputs \['b'\]"):
        model.predict({"a": X, "c": [X]}, verbose=0)


def test_the_name_of_a_weight_may_come_first_whatever_follows_it():
    layer = Layer()
    layer.add_weight("kernel", shape=(2, 3), initializer="ones")
    layer.add_weight("scale", (2,), initializer="zeros", trainable=False)
    layer.add_weight("offset", (2,), "ones", autocast=False, aggregation="mean")
    layer.add_weight((4,), "zeros", name="last")
    assert {name: array.shape for name, array in layer.named_arrays().items()} == {
        "kernel": (2, 3),
        "offset": (2,),
        "last": (4,),
        "scale": (2,),
    }
