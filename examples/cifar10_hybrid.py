"""A convolution in front of LSTMs, on photographs, and a better network of the same kind.

The first network takes the convolution's output as one long row of numbers and cuts it into 64 pieces of equal length.
That needs `padding="same"`: without it, 15 x 15 x 32 = 7,200 numbers are left, which do not divide by 64, and the
library says so. But a piece of 128 numbers is a strip of four pixels, with no meaning of its own, and only one
convolution has looked at the image.

The second lets three convolutions look first, and pools between them. What is left, 8 x 8 places, is read by the LSTM
as a sequence of 8 rows: each step sees a whole row of the image.

The sample of 2,020 images is too small to show which is better, and after five epochs the second may even be behind;
all of CIFAR-10 shows it.

    python examples/cifar10_hybrid.py
    python examples/cifar10_hybrid.py --data full
"""

import sys

from scratchnet.demo import CIFAR10_NAMES, load_cifar10, run_example
from scratchnet.evaluation import ClassifierReport
from scratchnet.layers import LSTM, Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D, Reshape
from scratchnet.models import Sequential
from scratchnet.utils import to_categorical


def build_hybrid(padding="same"):
    """Conv -> pool -> 64 pieces -> LSTM 64 -> LSTM 32 -> 10 probabilities."""
    return Sequential(
        [
            Input((32, 32, 3)),
            Conv2D(32, (3, 3), activation="relu", padding=padding),
            MaxPooling2D((2, 2)),
            Flatten(),
            Reshape((64, -1)),  # (N, 64, 128)
            LSTM(64, return_sequences=True),
            LSTM(32),
            Dense(10, activation="softmax"),
        ],
        name="hybrid",
    )


def build_better_hybrid():
    """Three convolutions with pooling -> 8 rows of 8 places -> LSTM 64 -> 10 probabilities."""
    return Sequential(
        [
            Input((32, 32, 3)),
            Conv2D(32, (3, 3), activation="relu", padding="same"),
            MaxPooling2D((2, 2)),
            Conv2D(48, (3, 3), activation="relu", padding="same"),
            MaxPooling2D((2, 2)),
            Conv2D(64, (3, 3), activation="relu", padding="same"),  # (N, 8, 8, 64)
            Reshape((8, -1)),  # (N, 8, 512): a row of the image at each step
            Dropout(0.3),
            LSTM(64),
            Dense(10, activation="softmax"),
        ],
        name="better_hybrid",
    )


def main(options, output):
    (x_train, y_train), (x_test, y_test) = load_cifar10(options)
    y_train = to_categorical(y_train, 10)
    try:
        build_hybrid(padding="valid")
    except ValueError as problem:
        print(f'With padding="valid" the hybrid cannot be built:\n  {problem}')

    histories, probabilities = {}, {}
    for name, model in {"hybrid": build_hybrid(), "better hybrid": build_better_hybrid()}.items():
        print(f"\n{name}")
        model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
        model.summary()
        histories[name] = model.fit(
            x_train, y_train, epochs=options.epochs, batch_size=options.batch_size, validation_split=0.1
        )
        probabilities[name] = model.predict(x_test, batch_size=options.batch_size, verbose=0)
    report = ClassifierReport(y_test, probabilities, CIFAR10_NAMES, histories)
    print(f"\n{report}")
    output.paths += report.save(options.out, images=x_test)


if __name__ == "__main__":
    sys.exit(
        run_example(main, "Train two networks of convolutions and LSTMs on photographs and compare them.", epochs=5)
    )
