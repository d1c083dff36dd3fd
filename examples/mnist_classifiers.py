"""Three classifiers of handwritten digits, and a report that compares them.

The CNN sees a picture; the two recurrent networks read its 28 rows one after the other and decide after the last. Two
usual ways of validating are shown: the CNN holds out the last fifth of the training data (`validation_split`), the
others are given a random fifth, drawn by scikit-learn, as `validation_data`.

    python examples/mnist_classifiers.py
    python examples/mnist_classifiers.py --data full --epochs 5
"""

import sys

from scratchnet.demo import load_mnist, run_example
from scratchnet.evaluation import ClassifierReport
from scratchnet.layers import LSTM, Conv2D, Dense, Flatten, Input, MaxPooling2D, SimpleRNN
from scratchnet.models import Sequential


def build_models():
    """The three networks, compiled; all end in the probabilities of ten classes."""
    models = {
        "CNN": Sequential(
            [
                Input((28, 28, 1)),
                Conv2D(32, (3, 3), activation="relu"),
                MaxPooling2D((2, 2)),
                Flatten(),
                Dense(128, activation="relu"),
                Dense(10, activation="softmax"),
            ],
            name="cnn",
        ),
        "SimpleRNN": Sequential([Input((28, 28)), SimpleRNN(128), Dense(10, activation="softmax")], name="simple_rnn"),
        "LSTM": Sequential([Input((28, 28)), LSTM(128), Dense(10, activation="softmax")], name="lstm"),
    }
    for model in models.values():
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return models


def main(options, output):
    from sklearn.model_selection import train_test_split  # here, so that --help needs no scikit-learn

    (x_train, y_train), (x_test, y_test) = load_mnist(options)
    x_fit, x_val, y_fit, y_val = train_test_split(
        x_train, y_train, test_size=0.2, random_state=options.seed, stratify=y_train
    )
    settings = {"epochs": options.epochs, "batch_size": options.batch_size}
    histories, probabilities = {}, {}
    for name, model in build_models().items():
        print(f"\n{name}")
        model.summary()
        if name == "CNN":
            histories[name] = model.fit(x_train[..., None], y_train, validation_split=0.2, **settings)
            probabilities[name] = model.predict(x_test[..., None], batch_size=options.batch_size, verbose=0)
        else:
            histories[name] = model.fit(x_fit, y_fit, validation_data=(x_val, y_val), **settings)
            probabilities[name] = model.predict(x_test, batch_size=options.batch_size, verbose=0)
    report = ClassifierReport(y_test, probabilities, histories=histories)
    print(f"\n{report}")
    output.paths += report.save(options.out, images=x_test)


if __name__ == "__main__":
    sys.exit(
        run_example(main, "Train a CNN, a SimpleRNN and an LSTM on handwritten digits and compare them.", epochs=5)
    )
