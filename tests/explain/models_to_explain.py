"""Models for the tests of this folder: small ones of every kind."""

import numpy as np

from scratchnet.layers import (
    GRU,
    LSTM,
    Add,
    Concatenate,
    Conv2D,
    Dense,
    Flatten,
    Input,
    Layer,
    MaxPooling2D,
    RepeatVector,
    TimeDistributed,
)
from scratchnet.models import Model, Sequential


def uniform(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).random(shape).astype(dtype)


def classifier(dtype="float32"):
    model = Sequential(
        [
            Input((6, 6, 1)),
            Conv2D(3, 3, activation="relu", name="conv", dtype=dtype),
            MaxPooling2D(name="pool"),
            Flatten(name="flat"),
            Dense(4, activation="softmax", name="dense", dtype=dtype),
        ],
        name="classifier",
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, uniform(1, 6, 6, 1, dtype=dtype), np.array([2])


def autoencoder(dtype="float32", units=5):
    model = Sequential(
        [
            Input((4, 3)),
            LSTM(units, name="encoder", dtype=dtype),
            RepeatVector(4, name="repeat"),
            LSTM(units, return_sequences=True, name="decoder", dtype=dtype),
            TimeDistributed(Dense(3, activation="sigmoid", name="dense", dtype=dtype), name="steps"),
        ],
        name="autoencoder",
    )
    model.compile("adam", "binary_crossentropy")
    x = uniform(1, 4, 3, dtype=dtype)
    return model, x, x


class Doubled(Layer):
    """y = 2 x, by hand."""

    def forward(self, x, training=False):
        return 2 * x, None

    def backward(self, dy, cache, needs_dx=True):
        return 2 * dy, {}


def branching():
    """Two inputs and outputs, a skip connection, a shared layer, a nested model, and a layer without a view."""
    inner_input = Input((4,))
    inner = Model(inner_input, Dense(4, activation="tanh", name="within")(inner_input), name="nested")
    a, b = Input((4,), name="a"), Input((3, 2), name="b")
    shared = Dense(4, name="shared")
    h = inner(shared(a))
    h = Add(name="skip")([h, shared(h)])
    s = GRU(4, name="gru")(TimeDistributed(Dense(2, name="each"), name="steps")(b))
    both = Doubled(name="doubled")(Concatenate(name="both")([h, s]))
    first, second = Dense(1, name="first")(both), Dense(3, activation="softmax", name="second")(both + 1)
    model = Model([a, b], [first, second], name="branching")
    model.compile("sgd", ["mse", "categorical_crossentropy"], loss_weights=[1.0, 0.5])
    x = [uniform(2, 4), uniform(2, 3, 2, seed=1)]
    return model, x, [uniform(2, 1), np.eye(3, dtype=np.float32)[[0, 2]]]
