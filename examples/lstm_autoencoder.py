"""An LSTM autoencoder on handwritten digits.

A digit is read as a sequence of its 28 rows. The encoder is an LSTM that keeps only its last state: 128 numbers for 784
pixels. RepeatVector hands that code to the decoder 28 times, a second LSTM unrolls it, and one small Dense layer turns
each of its 28 states into a row of pixels (Srivastava, Mansimov and Salakhutdinov, "Unsupervised learning of video
representations using LSTMs", 2015).

    python examples/lstm_autoencoder.py
    python examples/lstm_autoencoder.py --data full --epochs 5
"""

import math
import sys

import numpy as np

from scratchnet.demo import load_mnist, run_example
from scratchnet.evaluation import plot_curves, plot_reconstructions
from scratchnet.layers import LSTM, Dense, Input, RepeatVector, TimeDistributed
from scratchnet.models import Sequential
from scratchnet.optimizers import Adam
from scratchnet.optimizers.schedules import CosineDecay


def build_model(steps):
    """(N, 28, 28) -> code (N, 128) -> (N, 28, 28), to be trained for that many steps.

    The learning rate rises at first, lest an activation without an upper bound run away, and then falls along a cosine,
    so that the last steps only polish. A weight's gradient that has grown large on its way through 56 steps of time is
    shortened to length 1.
    """
    model = Sequential(
        [
            Input((28, 28)),
            LSTM(128, activation="relu"),
            RepeatVector(28),
            LSTM(128, activation="relu", return_sequences=True),
            TimeDistributed(Dense(28, activation="sigmoid")),
        ],
        name="lstm_autoencoder",
    )
    learning_rate = CosineDecay(0.0, steps, warmup_target=3e-3, warmup_steps=steps // 10 + 1)
    model.compile(optimizer=Adam(learning_rate, clipnorm=1.0), loss="binary_crossentropy")
    return model


def main(options, output):
    (x_train, _), (x_test, _) = load_mnist(options)
    x_train, x_validation = np.split(x_train, [4 * len(x_train) // 5])
    model = build_model(steps=options.epochs * math.ceil(len(x_train) / options.batch_size))
    model.summary()
    history = model.fit(
        x_train,
        x_train,
        epochs=options.epochs,
        batch_size=options.batch_size,
        validation_data=(x_validation, x_validation),
    )
    print(f"Test loss: {model.evaluate(x_test, x_test, batch_size=options.batch_size, verbose=0):.4f}")

    reconstructed = model.predict(x_test[:10], verbose=0)
    output.figure(
        "reconstructions",
        plot_reconstructions(x_test, reconstructed, title="Digits, and what 128 numbers keep of them"),
    )
    output.figure("loss", plot_curves(history))


if __name__ == "__main__":
    sys.exit(
        run_example(
            main,
            "Train an LSTM autoencoder on handwritten digits and picture what it keeps of them.",
            epochs=22,
            batch_size=64,
        )
    )
