"""The small ResNets that the paper trains on CIFAR-10: 20, 32, 44 or 56 layers for images of 32 x 32 pixels.

    y = relu(x + F(x)),    F two 3x3 convolutions, each with batch normalization

One convolution, then three stages of n blocks with 16, 32 and 64 filters, an average over the image, and a layer of
classes: 6 n + 2 layers with weights. Where the size is halved, the shortcut takes every second pixel and fills the new
channels with zeros, half of them on each side: it has no parameters, so that a ResNet has exactly those of the plain
network it is compared with (He, Zhang, Ren and Sun, "Deep residual learning for image recognition", 2016, section 4.2;
the shortcut is their option A). The paper's errors on CIFAR-10's test set are 8.75, 7.51, 7.17 and 6.97 %.

Layers are named as the modules of the implementation that is common in PyTorch, so that its files of weights
(`weights="resnet20.th"`) find their layers by name. A stride of 2 pads by 1 on all sides, as there; `same` would not.
"""

import numpy as np

from scratchnet import ops
from scratchnet.applications import weights as trained
from scratchnet.applications.building import check_arguments, image_input, model_of, top
from scratchnet.applications.imagenet_utils import pixels
from scratchnet.layers import Activation, Add, BatchNormalization, Conv2D, ZeroPadding2D
from scratchnet.ops.layouts import either_way

__all__ = ["ResNet20", "ResNet32", "ResNet44", "ResNet56", "preprocess_input"]

# Mean and standard deviation of the pixels of CIFAR-10's training images, from 0 to 1.
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def ResNet20(
    include_top=True,
    weights=None,
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=10,
    classifier_activation="softmax",
    name="resnet20",
):
    """A model of 20 layers with weights, 0.27 million parameters.

    Args:
        include_top: False ends with the last maps, (N, H / 4, W / 4, 64).
        weights: None for random ones, or the path of a file.
        input_tensor: a symbolic image, in place of a new `Input`.
        input_shape: (height, width, channels), of 8 pixels or more; (32, 32, 3) by default, any size without the top.
        pooling: without the top: "avg" or "max" for one number of each map.
        classes: how many classes the top has.
        classifier_activation: "softmax" or, for logits, None.
        name: of the model.

    Raises ValueError for arguments that do not go together.
    """
    return _resnet(3, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)


def ResNet32(
    include_top=True,
    weights=None,
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=10,
    classifier_activation="softmax",
    name="resnet32",
):
    """The same of 32 layers, 0.46 million parameters. Arguments: see `ResNet20`."""
    return _resnet(5, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)


def ResNet44(
    include_top=True,
    weights=None,
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=10,
    classifier_activation="softmax",
    name="resnet44",
):
    """The same of 44 layers, 0.66 million parameters. Arguments: see `ResNet20`."""
    return _resnet(7, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)


def ResNet56(
    include_top=True,
    weights=None,
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=10,
    classifier_activation="softmax",
    name="resnet56",
):
    """The same of 56 layers, 0.85 million parameters. Arguments: see `ResNet20`."""
    return _resnet(9, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)


def _resnet(n, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name):
    if weights == "imagenet":
        raise ValueError(f"{name}: it was made for CIFAR-10, and no package has weights of it: give the path of a file")
    check_arguments(name, include_top, weights, pooling, classes, classifier_activation)
    image = image_input(name, input_shape, input_tensor, include_top, weights, default_size=32, min_size=8)
    x = _normalized(_convolution(image, 16, 1, "conv1"), "bn1")
    x = Activation("relu", name="relu1")(x)
    for stage, filters in ((1, 16), (2, 32), (3, 64)):
        for block in range(n):
            x = basic_block(x, filters, 2 if block == 0 and stage > 1 else 1, name=f"layer{stage}_{block}")
    x = top(x, include_top, pooling, classes, classifier_activation, kernel_initializer="he_normal")
    model = model_of(image, x, name)
    if weights is not None:
        trained.load(model, weights, None if include_top else "linear")
    return model


def basic_block(x, filters, strides, name):
    """Two convolutions that learn what to add to x."""
    shortcut, more = x, filters - x.shape[-1]
    if more:
        shortcut = ops.pad(x[:, ::strides, ::strides], ((0, 0), (0, 0), (0, 0), (more // 2, more - more // 2)))
    x = _normalized(_convolution(x, filters, strides, f"{name}_conv1"), f"{name}_bn1")
    x = Activation("relu", name=f"{name}_relu1")(x)
    x = _normalized(_convolution(x, filters, 1, f"{name}_conv2"), f"{name}_bn2")
    return Activation("relu", name=f"{name}_relu2")(Add(name=f"{name}_add")([x, shortcut]))


@either_way("x", ndim=2)
def preprocess_input(x, data_format=None):
    """Pixels of 0 to 255 become (x / 255 - mean) / std, of each color over CIFAR-10's training images.

    Args:
        x: (N, H, W, 3) or (H, W, 3), red first; an array, which stays as it is, or a symbolic tensor.
        data_format: "channels_last", or "channels_first" for (N, 3, H, W) or (3, H, W).
    """
    x = pixels(x)
    return (x / 255 - np.asarray(MEAN, x.dtype)) / np.asarray(STD, x.dtype)


def _convolution(x, filters, strides, name):
    if strides > 1:
        x = ZeroPadding2D(1, name=f"{name}_pad")(x)
    padding = "same" if strides == 1 else "valid"
    return Conv2D(
        filters, 3, strides=strides, padding=padding, use_bias=False, kernel_initializer="he_normal", name=name
    )(x)


def _normalized(x, name):
    return BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)(x)
