"""Rows that were left out, guessed: what an LSTM learns from that, and what it is worth when labels are few.

The LSTM autoencoder of the main job is given digits of which rows are missing, and is asked for the whole (Vincent et
al., "Extracting and composing robust features with denoising autoencoders", 2008; Devlin et al., "BERT", 2019, do it
with words). No label is needed for that. Its encoder, frozen or trained further, then has to tell the digits apart with
a few labels, beside an LSTM that starts from nothing. What is after "+-" is the standard deviation over several draws
of the labels.

    python examples/mnist_masked.py
    python examples/mnist_masked.py --data full --epochs 8 --labels 50 100 500 --draws 5
"""

import math
import sys

import numpy as np

from scratchnet.demo import FewLabels, compare_few_labels, few_labels_options, load_mnist, run_example
from scratchnet.evaluation import plot_codes, plot_curves, plot_images
from scratchnet.layers import LSTM, Dense, Dropout, Input, RepeatVector, TimeDistributed
from scratchnet.models import Sequential
from scratchnet.optimizers import Adam
from scratchnet.optimizers.schedules import CosineDecay

UNLABELLED = 10_000


def build_encoder():
    """Digits as 28 rows to a code of 128 numbers."""
    return Sequential([Input((28, 28)), LSTM(128, activation="relu")], name="encoder")


def left_out(share):
    """A layer that makes rows black in training, and the others brighter, so that the mean stays."""
    return Dropout(share, noise_shape=(None, 28, 1))


def build_autoencoder(encoder, share, steps):
    """The main job's autoencoder, in training behind rows that are left out."""
    decoder = [
        RepeatVector(28),
        LSTM(128, activation="relu", return_sequences=True),
        TimeDistributed(Dense(28, activation="sigmoid")),
    ]
    model = Sequential([Input((28, 28)), left_out(share), encoder, *decoder], name="masked_autoencoder")
    learning_rate = CosineDecay(0.0, steps, warmup_target=3e-3, warmup_steps=steps // 10 + 1)
    model.compile(Adam(learning_rate, clipnorm=1.0), "binary_crossentropy")
    return model


def ways_to_learn(encoder, steps):
    """The rows of the table: from images and labels to a model."""
    learn = FewLabels(steps, lambda rate: Adam(CosineDecay(rate, steps), clipnorm=1.0))
    return {
        "random LSTM, probe": lambda *few: learn.probe(build_encoder(), *few),
        "masked, probe": lambda *few: learn.probe(encoder, *few),
        "masked, fine-tuned": lambda *few: learn.fine_tune(encoder, *few, rate=0.0005),
        "LSTM from scratch (relu)": lambda *few: learn.from_scratch([LSTM(128, activation="relu")], *few, rate=0.002),
        "LSTM from scratch (tanh)": lambda *few: learn.from_scratch([LSTM(128)], *few, rate=0.002),
    }


def main(options, output):
    (x_train, y_train), (x_test, y_test) = load_mnist(options)
    images, labels = x_train[:UNLABELLED], y_train[:UNLABELLED]
    encoder = build_encoder()
    steps = options.epochs * math.ceil(len(images) / options.batch_size)
    autoencoder = build_autoencoder(encoder, options.left_out, steps)
    autoencoder.summary()
    history = autoencoder.fit(images, images, epochs=options.epochs, batch_size=options.batch_size)
    output.figure("loss", plot_curves(history))
    seen = np.asarray(left_out(options.left_out)(x_test[:10], training=True))
    guessed = autoencoder.predict(seen, verbose=0)
    output.figure("guessed", plot_images({"digit": x_test[:10], "left of it": np.clip(seen, 0, 1), "guessed": guessed}))
    codes = encoder.predict(x_test[:1000], batch_size=500, verbose=0)
    title = "Codes of test digits, learnt without a label (t-SNE)"
    output.figure("codes", plot_codes(codes, y_test[:1000], title=title, method="tsne"))

    ways = ways_to_learn(encoder, options.steps)
    compare_few_labels(ways, (images, labels), (x_test, y_test), options, output)


def own_options(parser):
    few_labels_options(parser, steps=300)
    parser.add_argument(
        "--left-out", type=float, default=0.3, help="share of the rows that is left out (default: %(default)s)"
    )


if __name__ == "__main__":
    sys.exit(
        run_example(
            main,
            "Guess rows of digits that were left out, then learn names from a few labels.",
            epochs=8,
            batch_size=64,
            extra=own_options,
        )
    )
