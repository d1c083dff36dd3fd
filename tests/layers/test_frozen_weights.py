"""A weight that is frozen by itself: ``layer.kernel.trainable = False``."""

import copy

import numpy as np
import pytest

from scratchnet import Model, Sequential, layers, ops
from scratchnet.gradient_check.catalogue import randomize
from scratchnet.gradient_check.catalogue.layers import cases
from scratchnet.layers import BatchNormalization, Dense, Input, Layer
from scratchnet.parallel.batch import drawing_rows
from scratchnet.structure import map_structure

rng = np.random.default_rng(0)
x, y = rng.normal(size=(16, 3)).astype("float32"), rng.normal(size=(16, 1)).astype("float32")


def model(**options):
    made = Sequential([Input((3,)), Dense(4, name="a", **options), BatchNormalization(name="bn"), Dense(1, name="b")])
    made.compile("sgd", "mse")
    return made


def keys(weights):
    return [weight.key for weight in weights]


def moved_by_fit(made, run=lambda made: made.fit(x, y, batch_size=4, verbose=0)):
    """The keys of the weights that a fit has changed."""
    before = {key: array.copy() for key, array in made.named_arrays().items()}
    run(made)
    return [key for key, array in made.named_arrays().items() if not np.array_equal(array, before[key])]


def test_it_counts_as_one_that_is_not_trained(capsys):
    made = model(kernel_regularizer="l2", kernel_constraint="non_neg")
    layer = made.layers[0]
    layer.kernel.trainable = False
    assert layer.trainable and not layer.kernel.trainable and layer.bias.trainable
    assert keys(layer.trainable_weights) == ["bias"] and keys(layer.non_trainable_weights) == ["kernel"]
    assert keys(layer.weights) == ["kernel", "bias"] and made.count_params() == 37
    assert keys(made.trainable_weights) == ["a/bias", "bn/gamma", "bn/beta", "b/kernel", "b/bias"]
    assert keys(made.non_trainable_weights) == ["a/kernel", "bn/moving_mean", "bn/moving_variance"]
    assert made.losses == [] and made.constraints == {}
    made.summary()
    assert " Trainable params: 17" in capsys.readouterr().out


@pytest.mark.parametrize("eagerly", [False, True])
def test_training_leaves_it_alone(eagerly):
    made = model()
    made.compile("sgd", "mse", run_eagerly=eagerly)
    made.layers[0].kernel.trainable = False
    assert moved_by_fit(made) == [key for key in made.named_arrays() if key != "a/kernel"]
    assert moved_by_fit(made, lambda m: m.train_on_batch(x, y))[0] == "a/bias"


def test_weights_of_a_model_are_frozen_in_a_loop_and_come_back_with_the_layers():
    made = model()
    for weight in made.trainable_weights:
        weight.trainable = "bias" in weight.name
    assert keys(made.trainable_weights) == ["a/bias", "b/bias"]
    assert keys(copy.deepcopy(made).trainable_weights) == ["a/bias", "b/bias"]
    made.layers[0].trainable = True
    assert keys(made.trainable_weights) == ["a/kernel", "a/bias", "b/bias"]
    made.trainable = True
    assert len(made.trainable_weights) == 6


def test_a_frozen_layer_stays_frozen():
    made = model()
    made.layers[0].trainable = False
    made.layers[0].kernel.trainable = True
    assert keys(made.layers[0].trainable_weights) == []


class Affine(Layer):
    def build(self, input_shape):
        self.w = self.add_weight((input_shape[-1], 2), name="w")
        self.offset = self.add_weight((2,), "zeros", trainable=False, name="offset")
        self.d = Dense(1, name="d")

    def call(self, x):
        return self.d(x @ self.w + self.offset)


def test_in_layers_and_models_with_call_too():
    layer = Affine()
    made = Sequential([Input((3,)), layer])
    made.compile("adam", "mse")
    layer.w.trainable = layer.d.kernel.trainable = False
    assert keys(layer.trainable_weights) == ["d/bias"]
    assert moved_by_fit(made) == [f"{layer.name}/d/bias"]
    layer.w.trainable = True
    assert moved_by_fit(made, lambda m: (m.compile("adam", "mse"), m.fit(x, y, verbose=0)))[0].endswith("/w")

    class Own(Model):
        def __init__(self):
            super().__init__()
            self.a = Affine()

        def call(self, x):
            return ops.tanh(self.a(x))

    own = Own()
    own.compile("sgd", "mse")
    own(x)
    own.a.d.bias.trainable = False
    assert moved_by_fit(own) == ["a/w", "a/d/kernel"]


def test_what_was_made_with_trainable_false_is_refused():
    made = model()
    made.layers[1].moving_mean.trainable = False
    with pytest.raises(ValueError, match="'moving_mean' was made with trainable=False"):
        made.layers[1].moving_mean.trainable = True


def test_an_embedding_by_itself():
    made = Sequential([Input((4,), dtype="int32"), layers.Embedding(5, 3), layers.GlobalAveragePooling1D(), Dense(1)])
    made.compile("sgd", "mse")
    made.layers[0].embeddings.trainable = False
    tokens = rng.integers(5, size=(16, 4))
    moved = moved_by_fit(made, lambda m: m.fit(tokens, y, verbose=0))
    assert [key.partition("/")[2] for key in moved] == ["kernel", "bias"]


def test_backward_of_every_layer_has_the_gradients_of_the_others_alone():
    for layer, given, options in cases(rng):
        randomize(layer, given, rng)
        for weight in layer.trainable_weights:
            weight.trainable = False
            with drawing_rows(0, 0):
                out, cache = layer.forward(
                    given, training=True, **({"mask": options["mask"]} if "mask" in options else {})
                )
            _, grads = layer.backward(map_structure(np.ones_like, out), cache)
            assert grads.keys() == layer.trainable_params.keys(), layer
            weight.trainable = True
