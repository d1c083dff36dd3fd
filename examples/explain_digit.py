"""A digit, stepped forward and backward through a network: one page, to be opened in a browser.

A small network is trained, for a few seconds. Then one test digit goes through it once more under the eyes of
`model.explain`, which writes every number of the way there and back into a page: what each layer gives, where each
gradient comes from, its equation, the line of source that computes it, and a check of it. The digit is the one that the
network is most surely wrong about (or reconstructs worst): there the gradients have most to say.

    python examples/explain_digit.py
    python examples/explain_digit.py --model lstm

Beside it stands what the same digit met before training (`beside`), so that each layer shows what it has learnt.
NumPy is all that is needed.
"""

import os
import sys

import numpy as np

from scratchnet.demo import load_mnist, run_example
from scratchnet.layers import LSTM, Conv2D, Dense, Flatten, Input, MaxPooling2D, RepeatVector, TimeDistributed
from scratchnet.models import Sequential


def cnn():
    """(N, 28, 28, 1) -> the probabilities of ten classes."""
    model = Sequential(
        [
            Input((28, 28, 1)),
            Conv2D(8, 3, activation="relu"),
            MaxPooling2D(),
            Conv2D(16, 3, activation="relu"),
            MaxPooling2D(),
            Flatten(),
            Dense(10, activation="softmax"),
        ],
        name="digit_classifier",
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def lstm():
    """(N, 28, 28) -> 64 numbers -> (N, 28, 28), a digit as a sequence of its rows."""
    model = Sequential(
        [
            Input((28, 28)),
            LSTM(64, name="encoder"),
            RepeatVector(28),
            LSTM(64, return_sequences=True, name="decoder"),
            TimeDistributed(Dense(28, activation="sigmoid", name="pixels"), name="rows"),
        ],
        name="digit_autoencoder",
    )
    model.compile("adam", "binary_crossentropy")
    return model


def main(options, output):
    (x_train, y_train), (x_test, y_test) = load_mnist(options)
    if options.model == "cnn":
        model, x_train, x_test = cnn(), x_train[..., np.newaxis], x_test[..., np.newaxis]
    else:
        model, y_train, y_test = lstm(), x_train, x_test
    before = model.get_weights()
    model.fit(x_train, y_train, epochs=options.epochs, batch_size=options.batch_size)
    print(f"On test digits: {model.evaluate(x_test, y_test, verbose=0, return_dict=True)}")

    worst = hardest(model, x_test, y_test)
    x, y = x_test[worst : worst + 1], y_test[worst : worst + 1]
    after = model.get_weights()
    model.set_weights(before)
    untrained = model.trace(x, y)
    model.set_weights(after)
    trained = model.trace(x, y)
    print(f"\nTest digit {worst}\n{trained}\n\n{trained.check()}\n")
    path = trained.save(os.path.join(output.folder, f"{options.model}.html"), beside=untrained)
    output.paths.append(path)
    print("Open the page in a browser: arrow keys step, b goes to the other pass, ? lists the keys.")


def hardest(model, x, y):
    """The number of the sample with the largest loss."""
    predicted = model.predict(x, verbose=0)
    if predicted.ndim == 2:
        return int(np.argmin(predicted[np.arange(len(y)), y]))
    return int(np.argmax(np.square(predicted - y).sum(axis=(1, 2))))


def add_options(parser):
    parser.add_argument("--model", choices=("cnn", "lstm"), default="cnn", help="what is explained (default: cnn)")


if __name__ == "__main__":
    sys.exit(
        run_example(
            main,
            "Train a small network on handwritten digits and write a page in which a digit is stepped through it.",
            epochs=3,
            batch_size=32,
            extra=add_options,
            draws=False,
        )
    )
