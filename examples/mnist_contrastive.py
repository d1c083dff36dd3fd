"""Learning to see before learning names: what unlabelled digits are worth when there are only a few labels.

SimCLR (Chen, Kornblith, Norouzi and Hinton, "A simple framework for contrastive learning of visual representations",
2020) shows a network two views of each digit, turned, stretched and moved at random, and asks it to tell which two
belong together among all of the batch. No label is needed for that. Then a handful of labels must do: for a layer of
classes on the frozen features (a linear probe), or to train the whole network on (fine-tuning).

Beside it, the same network from scratch, with and without the same random views, and, as the fair opponent, a small
network that is strong with few labels. Each row of the table has the same labels; what is after "+-" is the standard
deviation over several draws of them.

    python examples/mnist_contrastive.py
    python examples/mnist_contrastive.py --data full --epochs 12 --labels 50 100 500 --draws 5
"""

import os
import sys

import numpy as np

from scratchnet import ops
from scratchnet.demo import FewLabels, compare_few_labels, few_labels_options, load_mnist, run_example
from scratchnet.evaluation import plot_codes, plot_curves, plot_images
from scratchnet.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    Input,
)
from scratchnet.layers.preprocessing.images.random_mapping import RandomAffine
from scratchnet.losses import NTXent
from scratchnet.models import Model, Sequential
from scratchnet.optimizers import Adam

UNLABELLED = 10_000
TURN, STRETCH, SHIFT, SLANT = 0.5, 0.3, 3.5, 0.4  # radians, share of the size, pixels, pixels a row
TEMPERATURE = 0.2


class RandomView(RandomAffine):
    """An image turned, stretched, slanted and moved at random, all at once, so that it is interpolated only once."""

    def __init__(self, **kwargs):
        super().__init__("constant", "bilinear", 0.0, None, None, **kwargs)

    def draw(self, shape):
        N = shape[0]
        return {
            "turn": self.uniform(N, -TURN, TURN)[:, 0],
            "size": self.uniform(N, 1 - STRETCH, 1 + STRETCH)[:, 0],
            "slant": self.uniform(N, -SLANT, SLANT)[:, 0],
            "shift": self.uniform(N, -SHIFT, SHIFT, count=2),
        }

    def matrices(self, drawn, H, W):
        cos, sin = np.cos(drawn["turn"]) / drawn["size"], np.sin(drawn["turn"]) / drawn["size"]
        a0, a1 = cos, cos * drawn["slant"] - sin  # turned, of what was slanted: x + slant y
        b0, b1 = sin, sin * drawn["slant"] + cos
        cx, cy = (W - 1) / 2, (H - 1) / 2  # the middle stays the middle, but for the shift
        return (
            *(a0, a1, cx - a0 * cx - a1 * cy + drawn["shift"][:, 0]),
            *(b0, b1, cy - b0 * cx - b1 * cy + drawn["shift"][:, 1]),
        )


def build_encoder():
    """Digits (28, 28, 1) to 128 features."""
    layers = [Input((28, 28, 1))]
    for filters in (32, 64, 128):
        layers += [
            Conv2D(filters, 3, strides=2, padding="same", use_bias=False),
            BatchNormalization(momentum=0.9),
            Activation("relu"),
        ]
    return Sequential([*layers, GlobalAveragePooling2D()], name="encoder")


def build_strong():
    """Digits to 64 features; it keeps where a stroke is, which few labels are enough for."""
    return Sequential(
        [
            Input((28, 28, 1)),
            Conv2D(16, 3, strides=2, activation="relu"),
            Conv2D(32, 3, strides=2, activation="relu"),
            Flatten(),
            Dense(64, activation="relu"),
        ],
        name="strong",
    )


def pretrain(encoder, images, options):
    """Train the encoder to bring the two views of a digit together."""
    head = Sequential([Input((128,)), Dense(128, activation="relu"), Dense(64)], name="head")
    image = Input((28, 28, 1))
    views = ops.stack([head(encoder(RandomView()(image))) for _ in range(2)], axis=1)  # (N, 2, 64)
    model = Model(image, views, name="contrastive")
    model.compile(Adam(0.002), NTXent(TEMPERATURE))
    return model.fit(images, np.zeros(len(images)), epochs=options.epochs, batch_size=options.batch_size)


def behind_views(body):
    """Layers of which the first makes a random view in training."""
    return [RandomView(), body]


def ways_to_learn(encoder, steps):
    """The rows of the table: from images and labels to a model."""
    learn = FewLabels(steps, Adam)
    return {
        "random features, probe": lambda *few: learn.probe(build_encoder(), *few),
        "SimCLR, probe": lambda *few: learn.probe(encoder, *few),
        # Without random views, which would do harm here: the features know all they can teach, and few steps do not get
        # over such hard digits.
        "SimCLR, fine-tuned": lambda *few: learn.fine_tune(encoder, *few, rate=0.0003),
        "from scratch": lambda *few: learn.from_scratch([build_encoder()], *few),
        "from scratch, random views": lambda *few: learn.from_scratch(behind_views(build_encoder()), *few),
        "strong net from scratch": lambda *few: learn.from_scratch([build_strong()], *few),
        "strong net, random views": lambda *few: learn.from_scratch(behind_views(build_strong()), *few),
    }


def main(options, output):
    (x_train, y_train), (x_test, y_test) = load_mnist(options)
    images, labels = x_train[:UNLABELLED, ..., None], y_train[:UNLABELLED]
    x_test = x_test[..., None]
    views = RandomView()
    output.figure(
        "views",
        plot_images(
            {"digit": images[:10], "one view": views(images[:10]), "another": views(images[:10])},
            title="Which two belong together?",
        ),
    )
    encoder = build_encoder()
    encoder.summary()
    if options.encoder is None:
        output.figure("loss", plot_curves(pretrain(encoder, images, options)))
        output.paths.append(os.path.join(output.folder, "encoder.npz"))
        encoder.save_weights(output.paths[-1])
    else:
        encoder.load_weights(options.encoder)
    features = encoder.predict(x_test[:1000], batch_size=500, verbose=0)
    title = "Features of test digits, learnt without a label (t-SNE)"
    output.figure("features", plot_codes(features, y_test[:1000], title=title, method="tsne"))

    ways = ways_to_learn(encoder, options.steps)
    compare_few_labels(ways, (images, labels), (x_test, y_test), options, output)


def own_options(parser):
    few_labels_options(parser, steps=400)
    parser.add_argument("--encoder", metavar="FILE", help="the encoder.npz of an earlier run, in place of training one")


if __name__ == "__main__":
    sys.exit(
        run_example(
            main, "Learn to see from digits without labels, then names from a few.", epochs=4, batch_size=256,
            extra=own_options,
        )
    )  # fmt: skip
