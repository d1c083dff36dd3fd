"""The mission's seven models, written for Keras and for scratchnet alike: ``build(library)``, data and loss."""

import numpy as np


def digits(count):
    from scratchnet.datasets import mnist

    (x, y), _ = mnist.load_sample()
    rows = np.arange(count) % len(x)
    return x[rows].astype("float32") / 255, y[rows]


def _photographs(count):
    from scratchnet.datasets import cifar10

    (x, y), _ = cifar10.load_sample()
    rows = np.arange(count) % len(x)  # the sample has 2,020 training images; beyond, they come again
    return x[rows].astype("float32") / 255, y[rows, 0]


def cnn_classifier(K):
    L = K.layers
    return [
        L.Input((28, 28, 1)),
        L.Conv2D(32, 3, activation="relu"),
        L.MaxPooling2D(),
        L.Flatten(),
        L.Dense(128, activation="relu"),
        L.Dense(10, activation="softmax"),
    ]


def simple_rnn_classifier(K):
    L = K.layers
    return [L.Input((28, 28)), L.SimpleRNN(128), L.Dense(10, activation="softmax")]


def cnn_autoencoder(K):
    L = K.layers
    return [
        L.Input((28, 28, 1)),
        L.Conv2D(32, 3, activation="relu", padding="same"),
        L.MaxPooling2D(padding="same"),
        L.Conv2D(32, 3, activation="relu", padding="same"),
        L.UpSampling2D(),
        L.Conv2D(1, 3, activation="sigmoid", padding="same"),
    ]


def recurrent_autoencoder(layer):
    def build(K):
        L, recurrent = K.layers, getattr(K.layers, layer)
        return [
            L.Input((28, 28)),
            recurrent(128, activation="relu"),
            L.RepeatVector(28),
            recurrent(128, activation="relu", return_sequences=True),
            L.TimeDistributed(L.Dense(28, activation="sigmoid")),
        ]

    return build


def cifar10_autoencoder(K):
    L = K.layers
    return [
        L.Input((32, 96)),
        L.LSTM(64),
        L.RepeatVector(32),
        L.LSTM(64, return_sequences=True),
        L.TimeDistributed(L.Dense(96)),
    ]


def cifar10_hybrid(K):
    L = K.layers
    return [
        L.Input((32, 32, 3)),
        L.Conv2D(32, 3, activation="relu", padding="same"),
        L.MaxPooling2D(),
        L.Flatten(),
        L.Reshape((64, -1)),
        L.LSTM(64, return_sequences=True),
        L.LSTM(32),
        L.Dense(10, activation="softmax"),
    ]


# name: (layers, loss, batch size, data as (x, y) for a number of samples)
MISSIONS = {
    "CNN classifier": (
        cnn_classifier,
        "sparse_categorical_crossentropy",
        128,
        lambda n: (digits(n)[0][..., None], digits(n)[1]),
    ),
    "SimpleRNN classifier": (simple_rnn_classifier, "sparse_categorical_crossentropy", 128, digits),
    "CNN autoencoder": (cnn_autoencoder, "binary_crossentropy", 128, lambda n: (digits(n)[0][..., None],) * 2),
    "SimpleRNN autoencoder": (
        recurrent_autoencoder("SimpleRNN"),
        "binary_crossentropy",
        128,
        lambda n: (digits(n)[0],) * 2,
    ),
    "LSTM autoencoder": (recurrent_autoencoder("LSTM"), "binary_crossentropy", 128, lambda n: (digits(n)[0],) * 2),
    "CIFAR-10 LSTM autoencoder": (
        cifar10_autoencoder,
        "mse",
        256,
        lambda n: (_photographs(n)[0].reshape(-1, 32, 96),) * 2,
    ),
    "CIFAR-10 CNN + LSTM": (
        cifar10_hybrid,
        "categorical_crossentropy",
        128,
        lambda n: (_photographs(n)[0], np.eye(10, dtype="float32")[_photographs(n)[1]]),
    ),
}


def make(name, K, learning_rate=0.001, models=MISSIONS):
    """The compiled model of library `K`."""
    build, loss, _, _ = models[name]
    made = build(K)
    model = K.models.Sequential(made) if isinstance(made, list) else made
    model.compile(optimizer=K.optimizers.Adam(learning_rate), loss=loss)
    return model


def losses_of_steps(name, model, steps, samples=1280):
    """The loss before each of `steps` training steps over the same batches in the same order."""
    _, _, batch_size, data = MISSIONS[name]
    x, y = data(samples)
    losses = []
    for step in range(steps):
        rows = np.arange(step * batch_size, (step + 1) * batch_size) % len(x)
        value = model.train_on_batch(x[rows], y[rows])
        losses.append(float(value[0] if isinstance(value, list) else value))
        if hasattr(model, "reset_metrics"):
            model.reset_metrics()
    return losses
