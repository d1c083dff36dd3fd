"""Stacks and graphs: sandwiches, shared layers, several inputs and outputs, models within models."""

from scratchnet import layers
from scratchnet.gradient_check.catalogue.inputs import F64, in_parts, named, randomize
from scratchnet.gradient_check.check import STACK, check_layer
from scratchnet.gradient_check.parts import check_parts
from scratchnet.models import Model, Sequential


def check_models(rng):
    """Stacks and graphs: sandwiches, shared layers, several inputs and outputs, models within models."""
    normal = rng.standard_normal
    Input, Dense = layers.Input, layers.Dense

    def case(name, model, x):
        randomize(model, x, rng)
        yield named(name, check_layer(model, x, bound=STACK))
        yield named(name, check_parts(model, in_parts(x)))

    yield from case(
        "CNN classifier",
        Sequential(
            [
                Input((6, 6, 1), **F64),
                layers.Conv2D(2, 3, activation="tanh", **F64),
                layers.AveragePooling2D(2, **F64),
                layers.Flatten(**F64),
                Dense(4, activation="tanh", **F64),
                Dense(3, activation="softmax", **F64),
            ]
        ),
        normal((2, 6, 6, 1)),
    )
    yield from case(
        "LSTM autoencoder",
        Sequential(
            [
                Input((3, 4), **F64),
                layers.LSTM(3, **F64),
                layers.RepeatVector(3, **F64),
                layers.LSTM(3, return_sequences=True, **F64),
                layers.TimeDistributed(Dense(4, activation="sigmoid", **F64), **F64),
            ]
        ),
        normal((2, 3, 4)),
    )
    yield from case(
        "CNN + LSTM",
        Sequential(
            [
                Input((4, 4, 2), **F64),
                layers.Conv2D(2, 3, padding="same", activation="tanh", **F64),
                layers.Flatten(**F64),
                layers.Reshape((4, -1), **F64),
                layers.LSTM(3, return_sequences=True, **F64),
                layers.LSTM(2, **F64),
                Dense(3, activation="softmax", **F64),
            ]
        ),
        normal((2, 4, 4, 2)),
    )
    a, b = Input((3,), **F64), Input((3,), **F64)
    shared = Dense(4, activation="tanh", **F64)
    joined = layers.Concatenate(**F64)([shared(a), shared(shared_input := layers.Add(**F64)([a, b]))])
    out = Dense(2, **F64)(joined)
    yield from case(
        "shared layer, two inputs, two outputs", Model([a, b], [out, shared_input]), [normal((3, 3)), normal((3, 3))]
    )
    image = Input((4,), **F64)
    encoder = Model(image, Dense(2, activation="tanh", **F64)(image), name="encoder")
    code = Input((2,), **F64)
    decoder = Sequential([code, Dense(4, activation="sigmoid", **F64)], name="decoder")
    x = Input((4,), **F64)
    yield from case(
        "models in a model, one used twice", Model(x, decoder(encoder(decoder(encoder(x))))), normal((3, 4))
    )
    sequence, h, c = Input((3, 2), **F64), Input((2,), **F64), Input((2,), **F64)
    y, h1, c1 = layers.LSTM(2, return_state=True, **F64)(sequence, initial_state=[h, c])
    y2 = layers.LSTM(2, **F64)(sequence, initial_state=[h1, c1])
    yield from case(
        "states passed on",
        Model([sequence, h, c], layers.Add(**F64)([y, y2])),
        [normal((2, 3, 2)), normal((2, 2)), normal((2, 2))],
    )
