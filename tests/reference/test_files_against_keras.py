"""What we save, Keras opens and predicts the same, and goes on training where we stopped; and the other way round."""

import functools

import numpy as np
import pytest

import scratchnet

pytestmark = [pytest.mark.reference, pytest.mark.filterwarnings("ignore")]

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(16, 9, 8, 3)).astype("float32")
SERIES = RNG.normal(size=(16, 6, 5)).astype("float32")


def convolutional(library):
    layers = library.layers
    return library.Sequential(
        [
            library.Input(IMAGES.shape[1:]),
            layers.Conv2D(4, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.DepthwiseConv2D(3, activation="gelu"),
            layers.MaxPooling2D(2),
            layers.Conv2DTranspose(3, 3, strides=2),
            layers.Flatten(),
            layers.Dropout(0.0),
            layers.Dense(2),
        ]
    )


def recurrent(library):
    layers = library.layers
    return library.Sequential(
        [
            library.Input(SERIES.shape[1:]),
            layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
            layers.GRU(5, return_sequences=True),
            layers.LayerNormalization(),
            layers.SimpleRNN(3),
            layers.RepeatVector(6),
            layers.TimeDistributed(layers.Dense(4, activation="tanh")),
            layers.GlobalAveragePooling1D(),
            layers.Dense(2),
        ]
    )


def with_branches(library):
    layers = library.layers
    x = inputs = library.Input(IMAGES.shape[1:])
    x = layers.Conv2D(3, 3, padding="same", activation="relu")(x)
    shared = layers.Conv2D(3, 1, activation="tanh")
    x = layers.Concatenate()([layers.Add()([shared(x), x]), shared(inputs)])
    return library.Model(inputs, layers.Dense(2)(layers.GlobalMaxPooling2D()(x)))


MODELS = {
    "convolutional": (convolutional, IMAGES),
    "recurrent": (recurrent, SERIES),
    "branches": (with_branches, IMAGES),
}
OPTIMIZERS = {
    "Adam": lambda library: library.optimizers.Adam(0.01),
    "SGD": lambda library: library.optimizers.SGD(0.01, momentum=0.9, nesterov=True),
    "Nadam": lambda library: library.optimizers.Nadam(0.002),
    "RMSprop": lambda library: library.optimizers.RMSprop(0.001),
}


@functools.cache
def trained(library, name, optimizer="Adam"):
    """A model after some steps, so that its moving averages and its optimizer have moved.

    Keras computes eagerly: to make a graph takes it as long as fifty steps.
    """
    make, x = MODELS[name]
    library.utils.set_random_seed(1)
    model = make(library)
    model.compile(OPTIMIZERS[optimizer](library), "mse", run_eagerly=True)
    losses_of_steps(model, x, 5)
    return model


def losses_of_steps(model, x, steps):
    y = np.stack([x.reshape(len(x), -1)[:, 0], x.reshape(len(x), -1).mean(axis=1)], axis=1)
    return [float(np.ravel(model.train_on_batch(x, y))[0]) for _ in range(steps)]


@pytest.mark.parametrize("ours", [True, False], ids=["from here to Keras", "from Keras to here"])
@pytest.mark.parametrize("ending", [".keras", ".h5", ".weights.h5"])
@pytest.mark.parametrize("name", MODELS)
def test_both_predict_the_same_from_one_file(keras, tmp_path, name, ending, ours):
    writer, reader = (scratchnet, keras) if ours else (keras, scratchnet)
    model, (make, x), path = trained(writer, name), MODELS[name], str(tmp_path / f"model{ending}")
    if ending == ".weights.h5":
        model.save_weights(path)
        again = make(reader)
        again.load_weights(path)
    else:
        model.save(path)
        again = reader.models.load_model(path)
    again.run_eagerly = True
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("ours", [True, False], ids=["from here to Keras", "from Keras to here"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_goes_on_where_the_other_stopped(keras, tmp_path, optimizer, ours):
    writer, reader = (scratchnet, keras) if ours else (keras, scratchnet)
    model, x, path = trained(writer, "recurrent", optimizer), SERIES, str(tmp_path / "model.keras")
    model.save(path)
    again = reader.models.load_model(path)
    again.run_eagerly = True
    np.testing.assert_allclose(losses_of_steps(again, x, 10), losses_of_steps(model, x, 10), rtol=1e-5)
