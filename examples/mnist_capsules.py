"""A network of capsules on handwritten digits.

A convolution tells that a stroke is there; a capsule tells, in a vector, what it looks like as well. Each of the ten
digit capsules is found by agreement between the predictions of many small ones, its length says how surely the digit is
there, and its 16 numbers say how it is written. A decoder learns to draw the digit from these 16 numbers alone, so
moving one of them shows what it means (Sabour, Frosst and Hinton, "Dynamic routing between capsules", 2017).

Beside it a CNN of as many parameters, on digits that are shifted, turned, stretched and slanted a little, as neither
has seen in training.

    python examples/mnist_capsules.py
    python examples/mnist_capsules.py --data full --epochs 4 --batch-size 100 --digits 6000
    python examples/mnist_capsules.py --data full --epochs 8 --batch-size 100
"""

import math
import sys

import numpy as np

from scratchnet.demo import load_mnist, run_example
from scratchnet.evaluation import markdown_table, plot_curves, plot_images, text_table
from scratchnet.layers import (
    CapsuleLayer,
    CapsuleMask,
    Conv2D,
    Dense,
    Flatten,
    Input,
    Length,
    MaxPooling2D,
    PrimaryCapsules,
    Reshape,
)
from scratchnet.losses import MarginLoss
from scratchnet.models import Model, Sequential
from scratchnet.optimizers import Adam
from scratchnet.optimizers.schedules import CosineDecay
from scratchnet.utils import to_categorical

RECONSTRUCTION = 0.392  # 0.0005 for the sum of the squared errors of 784 pixels, as in the paper

# of the test digits; the last is as in affNIST, whose digits are moved further
MOVES = {
    "as written": {},
    "shifted by up to 2 pixels": {"shift": 2},
    "shifted and turned by up to 20 degrees": {"shift": 2, "turn": 20},
    "stretched and slanted by up to 20 % as well": {"shift": 2, "turn": 20, "stretch": 0.2, "shear": 0.2},
}


def falling_rate(steps):
    """Adam, with a rate that rises for a tenth of the steps and then falls."""
    return Adam(CosineDecay(3e-4, steps, warmup_target=3e-3, warmup_steps=steps // 10))


def build_models(steps):
    """``(training, classifier, capsules, decoder)``; all share their weights; to be trained for that many steps."""
    image, target = Input((28, 28, 1)), Input((10,))
    h = Conv2D(32, 9, strides=2, activation="relu")(image)  # (N, 10, 10, 32)
    h = PrimaryCapsules(8, 8, kernel_size=5, strides=2)(h)  # (N, 72, 8)
    digits = CapsuleLayer(10, 16, routings=3, name="digit_capsules")(h)
    lengths = Length(name="lengths")(digits)
    decoder = Sequential(
        [
            Input((160,)),
            Dense(128, activation="relu"),
            Dense(256, activation="relu"),
            Dense(784, activation="sigmoid"),
            Reshape((28, 28)),
        ],
        name="decoder",
    )
    training = Model([image, target], {"lengths": lengths, "drawn": decoder(CapsuleMask()([digits, target]))})
    training.compile(
        falling_rate(steps), {"lengths": MarginLoss(), "drawn": "mse"}, {"lengths": 1.0, "drawn": RECONSTRUCTION},
        metrics={"lengths": ["accuracy"]},
    )  # fmt: skip
    return training, Model(image, lengths), Model(image, digits), decoder


def build_cnn(steps):
    """A CNN of about as many parameters as the capsules have; to be trained for that many steps."""
    model = Sequential(
        [
            Input((28, 28, 1)),
            Conv2D(16, 5, activation="relu"),
            MaxPooling2D(),
            Conv2D(32, 5, activation="relu"),
            MaxPooling2D(),
            Flatten(),
            Dense(254, activation="relu"),
            Dense(10, activation="softmax"),
        ],
        name="cnn",
    )
    model.compile(falling_rate(steps), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def moved(images, seed, shift=0.0, turn=0.0, stretch=0.0, shear=0.0):
    """Every image under an affine map of its own, drawn at random.

    Args:
        images: (N, 28, 28).
        seed: of the draws.
        shift: by up to so many pixels.
        turn: by up to so many degrees.
        stretch: in each direction by a factor of up to ``1 + stretch`` or down to ``1 - stretch``.
        shear: by up to so many pixels for every pixel from the middle.
    """
    rng = np.random.default_rng(seed)
    places = np.mgrid[:28, :28].reshape(2, -1) - 13.5  # (2, 784), from the middle
    result = np.zeros_like(images)
    for image, new in zip(images, result):
        angle = np.deg2rad(rng.uniform(-turn, turn))
        turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        slanted = np.array([[1, 0], [rng.uniform(-shear, shear), 1]])
        scaled = np.diag(1 / rng.uniform(1 - stretch, 1 + stretch, 2))
        # where each pixel of the new image lies in the old one
        y, x = turned @ slanted @ scaled @ places + rng.uniform(-shift, shift, (2, 1)) + 13.5
        i, j = np.floor(y).astype(int), np.floor(x).astype(int)
        for a in (0, 1):  # bilinear: each pixel is made of four
            for b in (0, 1):
                inside = (0 <= i + a) & (i + a < 28) & (0 <= j + b) & (j + b < 28)
                weight = np.abs(1 - a - (y - i)) * np.abs(1 - b - (x - j)) * inside
                new += (weight * image[np.clip(i + a, 0, 27), np.clip(j + b, 0, 27)]).reshape(28, 28)
    return result


def what_numbers_mean(capsules, decoder, image, label):
    """The digit drawn again and again with one of its 16 numbers moved: a row of pictures for each number."""
    digits = capsules.predict(image[None, ..., None], verbose=0)[0]  # (10, 16)
    offsets = np.linspace(-0.25, 0.25, 11)
    rows = {}
    for d in range(16):
        poses = np.zeros((11, 10, 16), "float32")
        poses[:, label] = digits[label]
        poses[:, label, d] += offsets
        rows[f"{d + 1}"] = decoder.predict(poses.reshape(11, 160), verbose=0)
    return plot_images(rows, count=11, title="What each of the 16 numbers of a digit's capsule does")


def main(options, output):
    (x_train, y_train), (x_test, y_test) = load_mnist(options)
    x_train, y_train = x_train[: options.digits], y_train[: options.digits]
    one_hot, one_hot_test = to_categorical(y_train, 10), to_categorical(y_test, 10)
    steps = options.epochs * math.ceil(len(x_train) / options.batch_size)
    training, classifier, capsules, decoder = build_models(steps)
    training.summary()
    history = training.fit(
        [x_train[..., None], one_hot],
        {"lengths": one_hot, "drawn": x_train},
        epochs=options.epochs,
        batch_size=options.batch_size,
        validation_data=([x_test[..., None], one_hot_test], {"lengths": one_hot_test, "drawn": x_test}),
    )
    cnn = build_cnn(steps)
    cnn.fit(x_train[..., None], y_train, epochs=options.epochs, batch_size=options.batch_size, verbose=2)

    rows = []
    for name, change in MOVES.items():
        images = moved(x_test, options.seed, **change)[..., None]
        scores = [
            np.mean(model.predict(images, batch_size=250, verbose=0).argmax(axis=1) == y_test)
            for model in (classifier, cnn)
        ]
        rows.append((name, *(f"{score:.2%}" for score in scores)))
    headings = ("test digits", f"capsules ({classifier.count_params():,})", f"CNN ({cnn.count_params():,})")
    print(f"\n{text_table(headings, rows)}")
    output.text("robustness.md", markdown_table(headings, rows) + "\n")

    output.figure("loss", plot_curves(history))
    output.figure(
        "moved", plot_images({name: moved(x_test[:10], options.seed, **change) for name, change in MOVES.items()})
    )
    output.figure("numbers", what_numbers_mean(capsules, decoder, x_test[0], y_test[0]))
    kept = capsules.predict(x_test[:10, ..., None], verbose=0)
    mask = to_categorical(y_test[:10], 10)[..., None]
    drawn = decoder.predict((kept * mask).reshape(10, 160), verbose=0)
    output.figure("drawn", plot_images({"digit": x_test[:10], "drawn from 16 numbers": drawn}))


def add_options(parser):
    parser.add_argument("--digits", type=int, help="train on the first so many digits (default: all)")


if __name__ == "__main__":
    sys.exit(
        run_example(
            main,
            "Train capsules on handwritten digits, and see what each of their numbers means.",
            epochs=12,
            batch_size=50,
            extra=add_options,
        )
    )
