"""What photographs teach without labels, as far as two cores get with them.

SimCLR once more, as in `mnist_contrastive.py`, on CIFAR-10. What two views of a photograph have in common is another
question than with digits: a view is a part of it at another size, perhaps mirrored, in other colours, perhaps in none.
Without the change of colours the network would know two parts of a picture by their colours alone, and learn nothing
else (Chen, Kornblith, Norouzi and Hinton, "A simple framework for contrastive learning of visual representations",
2020, figure 5).

The paper trains a ResNet for 1,000 epochs; here three convolutions see 20,000 photographs a few times. Then a few
labels are drawn, for a layer of classes on the frozen features (a probe), for all of the network (fine-tuning), and for
the same network from scratch, with and without the same views. What is after "+-" is the standard deviation over
several draws.

    python examples/cifar10_contrastive.py
    python examples/cifar10_contrastive.py --data full --unlabelled 20000 --epochs 5 --labels 50 100 500 --draws 3
"""

import sys
import time

import numpy as np

from scratchnet import ops
from scratchnet.demo import FewLabels, compare_few_labels, few_labels_options, load_cifar10, run_example
from scratchnet.evaluation import plot_curves, plot_images
from scratchnet.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    Input,
    Pipeline,
    RandomColorJitter,
    RandomGrayscale,
)
from scratchnet.layers.preprocessing.images.random_mapping import RandomAffine
from scratchnet.losses import NTXent
from scratchnet.models import Model, Sequential
from scratchnet.optimizers import Adam
from scratchnet.optimizers.schedules import CosineDecay

SMALLEST = 0.5  # side of a part of an image, as a share of the whole side
TEMPERATURE = 0.2
SHAPE = (32, 32, 3)


class RandomPart(RandomAffine):
    """A square part of an image at random, drawn as large as the image, half of them mirrored."""

    def __init__(self, **kwargs):
        super().__init__("nearest", "bilinear", 0.0, None, None, **kwargs)

    def draw(self, shape):
        u = self.random.uniform((shape[0], 4))
        return {"side": SMALLEST + (1 - SMALLEST) * u[:, 0], "mirrored": u[:, 1] < 0.5, "place": u[:, 2:]}

    def matrices(self, drawn, H, W):
        side, mirrored = drawn["side"], drawn["mirrored"]
        left, top = (1 - side) * (W - 1) * drawn["place"][:, 0], (1 - side) * (H - 1) * drawn["place"][:, 1]
        # from left to left + side (W - 1), or the other way round
        return (
            *(np.where(mirrored, -side, side), 0.0, left + np.where(mirrored, side * (W - 1), 0)),
            *(0.0, side, top),
        )


def random_view():
    """Layers that make a view of a photograph."""
    colours = RandomColorJitter(
        value_range=(0, 1), brightness_factor=0.2, contrast_factor=(0.4, 0.4), saturation_factor=(0.3, 0.7),
        hue_factor=0.1,
    )  # fmt: skip
    return Pipeline([RandomPart(), colours, RandomGrayscale(0.2)])


def build_encoder():
    """Photographs (32, 32, 3) to 256 features."""
    layers = [Input(SHAPE)]
    for filters in (32, 64, 256):
        layers += [
            Conv2D(filters, 3, strides=2, padding="same", use_bias=False),
            BatchNormalization(momentum=0.9),
            Activation("relu"),
        ]
    return Sequential([*layers, GlobalAveragePooling2D()], name="encoder")


def pretrain(encoder, images, options):
    """Train the encoder to bring the two views of a photograph together."""
    head = Sequential([Input((256,)), Dense(128, activation="relu"), Dense(64)], name="head")
    image = Input(SHAPE)
    views = ops.stack([head(encoder(random_view()(image))) for _ in range(2)], axis=1)  # (N, 2, 64)
    model = Model(image, views, name="contrastive")
    model.compile(Adam(0.002), NTXent(TEMPERATURE))
    return model.fit(images, np.zeros(len(images)), epochs=options.epochs, batch_size=options.batch_size)


def ways_to_learn(encoder, steps):
    """The rows of the table: from images and labels to a model."""
    learn = FewLabels(steps, lambda rate: Adam(CosineDecay(rate, steps)))
    return {
        "random features, probe": lambda *few: learn.probe(build_encoder(), *few),
        "SimCLR, probe": lambda *few: learn.probe(encoder, *few),
        "SimCLR, fine-tuned": lambda *few: learn.fine_tune(encoder, *few, rate=0.0003),
        "from scratch": lambda *few: learn.from_scratch([build_encoder()], *few),
        "from scratch, random views": lambda *few: learn.from_scratch([random_view(), build_encoder()], *few),
    }


def main(options, output):
    (x_train, y_train), (x_test, y_test) = load_cifar10(options)
    images, labels = x_train[: options.unlabelled], y_train[: options.unlabelled, 0]
    views = random_view()
    shown = {"photograph": images[:10], "one view": views(images[:10]), "another": views(images[:10])}
    output.figure("views", plot_images(shown, title="Which two belong together?"))
    encoder = build_encoder()
    encoder.summary()
    began = time.process_time()
    output.figure("loss", plot_curves(pretrain(encoder, images, options)))
    print(f"Pre-training took {time.process_time() - began:.0f} s of processor time")
    ways = ways_to_learn(encoder, options.steps)
    compare_few_labels(ways, (images, labels), (x_test, y_test[:, 0]), options, output)


def own_options(parser):
    few_labels_options(parser, steps=200)
    parser.add_argument(
        "--unlabelled", type=int, default=10_000, help="so many training images at most (default: %(default)s)"
    )


if __name__ == "__main__":
    sys.exit(
        run_example(
            main, "Learn to see from photographs without labels, then names from a few.", epochs=10, batch_size=256,
            extra=own_options,
        )
    )  # fmt: skip
