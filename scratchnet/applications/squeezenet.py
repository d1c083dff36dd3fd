"""SqueezeNet 1.1: AlexNet's accuracy on ImageNet with a fiftieth of its parameters.

    fire:  x  ->  1x1, few filters, relu (squeeze)  ->  1x1 and 3x3 side by side, relu (expand)

A 3x3 filter costs nine times a 1x1 filter, and its price grows with the channels it sees: so most filters are 1x1, and
the others see what was squeezed first. Sizes are halved late, so that the maps stay large, and the classes are an
average over the image of 1,000 maps, without a dense layer (Iandola et al., "SqueezeNet: AlexNet-level accuracy with
50x fewer parameters and <0.5MB model size", 2016; version 1.1 halves earlier, and needs 2.4 times fewer operations).

The trained weights come from the package `ndf`, whose pickle is read here as arrays, without running anything.
"""

from scratchnet.applications import imagenet_utils
from scratchnet.applications import weights as trained
from scratchnet.applications.building import check_arguments, image_input, model_of, pooled
from scratchnet.applications.imagenet_utils import decode_predictions
from scratchnet.files import pickle_machine, pickled_arrays
from scratchnet.files.reading import reading
from scratchnet.layers import Activation, Concatenate, Conv2D, Dropout, MaxPooling2D

__all__ = ["SqueezeNet", "decode_predictions", "preprocess_input"]

# What comes behind the first convolution: a pooling layer's name, or a fire module's and its filters.
PLAN = (
    "pool1", ("fire2", 16, 64), ("fire3", 16, 64),
    "pool3", ("fire4", 32, 128), ("fire5", 32, 128),
    "pool5", ("fire6", 48, 192), ("fire7", 48, 192), ("fire8", 64, 256), ("fire9", 64, 256),
)  # fmt: skip


def SqueezeNet(
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    name="squeezenet",
):
    """A model of 26 convolutions, 1.2 million parameters.

    Args:
        include_top: False ends with the last maps, (N, H / 16 - 1, W / 16 - 1, 512).
        weights: None for random ones; the path of a file; "imagenet" for those of an installed package.
        input_tensor: a symbolic image, in place of a new `Input`.
        input_shape: (height, width, channels), of 32 pixels or more; by default (224, 224, 3), or any size without the
            top.
        pooling: without the top: "avg" or "max" for one number of each map.
        classes: how many classes the top has.
        classifier_activation: "softmax" or, for logits, None.
        name: of the model.

    Raises ValueError for arguments that do not go together, ImportError, which says what to install, if the weights
    are not there.
    """
    check_arguments(name, include_top, weights, pooling, classes, classifier_activation)
    image = image_input(name, input_shape, input_tensor, include_top, weights, default_size=224, min_size=32)
    x = _convolution(image, 64, 3, "conv1", strides=2)
    for step in PLAN:
        x = MaxPooling2D(3, strides=2, name=step)(x) if isinstance(step, str) else fire(x, *step)
    if include_top:
        x = Dropout(0.5, name="drop9")(x)
        x = pooled(_convolution(x, classes, 1, "conv10"), "avg")
        x = Activation(classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    model = model_of(image, x, name)
    if weights == "imagenet":
        path = trained.in_package(name, "ndf", "example_models/weights/squeezenet_weights.pkl", "ndf")
        model.set_weights(_of_ndf(model, path))
    elif weights is not None:
        trained.load(model, weights, None if include_top else "classifier")
    return model


def fire(x, name, squeezed, expanded):
    """A fire module: (N, H, W, C) to (N, H, W, 2 expanded)."""
    x = _convolution(x, squeezed, 1, f"{name}_squeeze1x1")
    return Concatenate(name=f"{name}_concat")(
        [_convolution(x, expanded, 1, f"{name}_expand1x1"), _convolution(x, expanded, 3, f"{name}_expand3x3", "same")]
    )


def preprocess_input(x, data_format=None):
    """Blue first, minus ImageNet's mean color; see `imagenet_utils.preprocess_input`."""
    return imagenet_utils.preprocess_input(x, data_format, mode="caffe")


def _convolution(x, filters, kernel_size, name, padding="valid", strides=1):
    x = Conv2D(
        filters, kernel_size, strides=strides, padding=padding, kernel_initializer="he_uniform", name=name
    )(x)  # fmt: skip
    return Activation("relu", name=f"{name}_relu")(x)


def _of_ndf(model, path):
    """The arrays of ndf's pickle in the order of the model's weights."""
    with reading(path, "pickle of arrays") as file:
        stored = pickle_machine.run(file, pickled_arrays.NAMES)
        layers = [layer for layer in model.layers if layer.named_arrays()]
        return [array.array() for layer in layers for array in stored[layer.name.replace("_", "/")]]
