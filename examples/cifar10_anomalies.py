"""Finding strange images with an LSTM autoencoder.

The autoencoder learns to reconstruct photographs, read row by row (32 rows of 96 numbers). What it has not learnt to
reconstruct has a large error. The threshold comes from normal images alone: it is the quantile of their errors that the
user sets, so that no anomaly has to be known beforehand.

Some anomalies are easy and some are not. Noise, and the hard edges of a digit, do not fit through 64 numbers. Shuffled
rows do if the photograph is smooth, and most images of a class that training never saw do as well. A grey block is not
found at all: a flat square is no harder to reconstruct than what it hides.

    python examples/cifar10_anomalies.py
    python examples/cifar10_anomalies.py --data full
"""

import sys

import numpy as np

from scratchnet.demo import CIFAR10_NAMES, load_cifar10, load_mnist, run_example
from scratchnet.evaluation import (
    ReconstructionDetector,
    add_noise,
    detection_table,
    digits_as_photographs,
    markdown_table,
    occlude_block,
    plot_curves,
    plot_error_histogram,
    plot_images,
    shuffle_rows,
    text_table,
)
from scratchnet.layers import LSTM, Dense, Input, RepeatVector, TimeDistributed
from scratchnet.models import Model


def build_model():
    """(N, 32, 96) -> code (N, 64) -> (N, 32, 96)."""
    rows = Input((32, 96))
    code = LSTM(64)(rows)
    h = RepeatVector(32)(code)
    h = LSTM(64, return_sequences=True)(h)
    model = Model(rows, TimeDistributed(Dense(96))(h), name="lstm_autoencoder")
    model.compile(optimizer="adam", loss="mse")
    return model


def as_rows(images):
    """(N, 32, 32, 3) -> (N, 32, 96): a photograph as a sequence of its rows."""
    return images.reshape(len(images), 32, 96)


def main(options, output):
    (x_train, y_train), (x_test, y_test) = load_cifar10(options)
    (_, _), (digits, _) = load_mnist(options)
    held_out = CIFAR10_NAMES.index(options.held_out)
    x_train = x_train[y_train.ravel() != held_out]
    x_strange_class, x_test = x_test[y_test.ravel() == held_out], x_test[y_test.ravel() != held_out]
    # The detector's threshold is set on normal images that the model was not trained on.
    x_calibration, x_train = x_train[: len(x_train) // 10], x_train[len(x_train) // 10 :]

    model = build_model()
    model.summary()
    normal = as_rows(x_train)
    history = model.fit(normal, normal, epochs=options.epochs, batch_size=options.batch_size, validation_split=0.1)
    print(f"Test MSE: {model.evaluate(as_rows(x_test), as_rows(x_test), batch_size=256, verbose=0):.4f}")

    detector = ReconstructionDetector(model, quantile=options.quantile).fit(as_rows(x_calibration))
    kinds = {
        "rows shuffled": shuffle_rows(x_test, options.seed),
        "block occluded": occlude_block(x_test, seed=options.seed),
        "noise 0.2": add_noise(x_test, 0.2, options.seed),
        "digits": digits_as_photographs(digits[: len(x_test)]),
        f"class {options.held_out}": x_strange_class,
    }
    errors = detector.errors(as_rows(x_test))
    strange = {kind: detector.errors(as_rows(images)) for kind, images in kinds.items()}
    headings, table = detection_table(errors, strange, detector.threshold_)
    print(f"\nThreshold {detector.threshold_:.4f}, the {options.quantile:.0%} quantile of the errors of normal images")
    print(f"Normal test images above it: {np.mean(errors > detector.threshold_):.1%}\n")
    print(text_table(headings, table))

    output.text("detection.md", markdown_table(headings, table) + "\n")
    output.figure("loss", plot_curves(history))
    output.figure("errors", plot_error_histogram(errors, strange, detector.threshold_))
    for kind, found in strange.items():
        title = f"Reconstruction errors: normal images and {kind}"
        figure = plot_error_histogram(errors, {kind: found}, detector.threshold_, title=title)
        output.figure("errors_" + kind.replace(" ", "_").replace(".", "_"), figure)
    output.figure("kinds", plot_images({"normal": x_test, **kinds}, title="Normal images and kinds of anomalies"))
    order = np.argsort(errors)
    for name, picked in (("best", order[:10]), ("worst", order[::-1][:10])):
        reconstructed = model.predict(as_rows(x_test[picked]), verbose=0).reshape(-1, 32, 32, 3)
        rows = {"image": x_test[picked], "reconstructed": reconstructed}
        captions = [f"{e:.4f}" for e in errors[picked]]
        output.figure(
            name, plot_images(rows, title=f"The {name} reconstructed test images, and their errors", captions=captions)
        )


def extra_options(parser):
    parser.add_argument("--quantile", type=float, default=0.95, help="the share of normal images that counts as normal")
    parser.add_argument("--held-out", choices=CIFAR10_NAMES, default="truck", help="the class that training never sees")


if __name__ == "__main__":
    description = "Train an LSTM autoencoder on photographs and let it find images that do not belong."
    sys.exit(run_example(main, description, epochs=20, batch_size=256, extra=extra_options))
