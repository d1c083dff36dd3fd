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
from scratchnet.demo import load_cifar10, run_example
from scratchnet.evaluation import (
    few_labels_accuracy,
    few_labels_table,
    markdown_table,
    plot_curves,
    plot_few_labels,
    plot_images,
    text_table,
)
from scratchnet.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    Input,
    Normalization,
    Pipeline,
    RandomColorJitter,
    RandomGrayscale,
)
from scratchnet.layers.preprocessing.images.random_mapping import RandomAffine
from scratchnet.losses import NTXent
from scratchnet.models import Model, Sequential, clone_model
from scratchnet.optimizers import Adam
from scratchnet.optimizers.schedules import CosineDecay

SMALLEST = 0.5  # side of a part of an image, as a share of the whole side
TEMPERATURE = 0.2
STEPS = 200  # of training with few labels
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


# ---- with few labels: from images and labels to a model that tells the classes ----


def train(model, images, labels, batch_size=50, rate=0.001):
    """Train for STEPS steps, however few images there are, at a rate that falls to 0."""
    batch_size = min(batch_size, len(images))
    model.compile(Adam(CosineDecay(rate, STEPS)), "sparse_categorical_crossentropy")
    model.fit(images, labels, epochs=STEPS * batch_size // len(images), batch_size=batch_size, verbose=0)
    return model


def probe(encoder, images, labels):
    """A layer of classes on frozen features, which are computed once."""
    features = encoder.predict(images, batch_size=250, verbose=0)
    scale = Normalization()
    scale.adapt(features)
    classes = Dense(10, activation="softmax")
    train(Sequential([Input(features.shape[1:]), scale, classes]), features, labels, len(features), rate=0.01)
    return Sequential([Input(SHAPE), encoder, scale, classes])


def fine_tune(encoder, images, labels):
    """All of a trained network: first its classes, as a probe; its batch normalization stays as it is."""
    copied = clone_model(encoder)
    copied.set_weights(encoder.get_weights())
    for layer in copied.layers:
        layer.trainable = not isinstance(layer, BatchNormalization)
    return train(probe(copied, images, labels), images, labels, rate=0.0003)


def from_scratch(images, labels, views=False):
    """A new network and a layer of classes; in training behind random views, if `views`."""
    random = [random_view()] if views else []
    return train(Sequential([Input(SHAPE), *random, build_encoder(), Dense(10, activation="softmax")]), images, labels)


def ways_to_learn(encoder):
    """The rows of the table: from images and labels to a model."""
    return {
        "random features, probe": lambda *few: probe(build_encoder(), *few),
        "SimCLR, probe": lambda *few: probe(encoder, *few),
        "SimCLR, fine-tuned": lambda *few: fine_tune(encoder, *few),
        "from scratch": from_scratch,
        "from scratch, random views": lambda *few: from_scratch(*few, views=True),
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
    accuracies = few_labels_accuracy(
        ways_to_learn(encoder), (images, labels), (x_test, y_test[:, 0]), options.labels, options.draws, options.seed
    )
    table = few_labels_table(accuracies, options.labels)
    print(f"\n{text_table(*table)}")
    output.text("few_labels.md", markdown_table(*table) + "\n")
    output.figure("few_labels", plot_few_labels(accuracies, options.labels))


def own_options(parser):
    add = parser.add_argument
    add("--unlabelled", type=int, default=10_000, help="so many training images at most (default: %(default)s)")
    add("--labels", type=int, nargs="+", default=[100], help="how many photographs have one (default: 100)")
    add("--draws", type=int, default=1, help="how often they are drawn anew (default: 1)")


if __name__ == "__main__":
    sys.exit(
        run_example(
            main, "Learn to see from photographs without labels, then names from a few.", epochs=10, batch_size=256,
            extra=own_options,
        )
    )  # fmt: skip
