"""MobileNetV2: a network for small machines, of inverted residuals with linear bottlenecks.

    x (H, W, C)  ->  1x1, 6 C channels, relu6  ->  3x3 depthwise, relu6  ->  1x1, F channels, no activation  (+ x)

A depthwise convolution costs one multiplication a kernel element and channel, not one a pair of channels, so the wide
part in the middle is cheap. What is handed on is narrow, and shortcuts connect these narrow ends, the other way round
than in a ResNet. A relu on few channels would destroy what they hold, so the narrow end has none (Sandler, Howard, Zhu,
Zhmoginov and Chen, "MobileNetV2: Inverted residuals and linear bottlenecks", 2018).

Layers, names and order are Keras's, so that its files of weights fit. Before a stride of 2 an image of even size gets
its row and column of zeros below and to the right, written out as a layer.
"""

from scratchnet.applications import imagenet_utils
from scratchnet.applications import weights as trained
from scratchnet.applications.building import check_arguments, image_input, model_of, top
from scratchnet.applications.imagenet_utils import decode_predictions
from scratchnet.layers import Add, BatchNormalization, Conv2D, DepthwiseConv2D, ReLU, ZeroPadding2D

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

# (times wider inside, filters, blocks, strides of the first)
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
SIZES = (96, 128, 160, 192, 224)  # that trained weights exist for
_FILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{}_{}{}.h5"


def MobileNetV2(
    input_shape=None,
    alpha=1.0,
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    name=None,
):
    """A model of 53 layers with weights, 3.5 million parameters.

    Args:
        input_shape: (height, width, channels), of 32 pixels or more; by default (224, 224, 3), or any size without the
            top.
        alpha: what the number of filters is multiplied by.
        include_top: False ends with the last maps, (N, H / 32, W / 32, 1280).
        weights: None for random ones; the path of a file; "imagenet" for the file that Keras has downloaded.
        input_tensor: a symbolic image, in place of a new `Input`.
        pooling: without the top: "avg" or "max" for one number of each map.
        classes: how many classes the top has.
        classifier_activation: "softmax" or, for logits, None.
        name: of the model; by default it tells alpha and the size.

    Raises ValueError for arguments that do not go together, FileNotFoundError if there is no file of weights.
    """
    own_name = name or "MobileNetV2"
    check_arguments(own_name, include_top, weights, pooling, classes, classifier_activation)
    image = image_input(own_name, input_shape, input_tensor, include_top, weights, default_size=224, min_size=32)
    _, height, width, _ = image.shape
    size = height if height == width and height in SIZES else 224
    if name is None:
        name = f"mobilenetv2_{alpha:.2f}_{size if weights == 'imagenet' else height}"
    x = normalized(
        Conv2D(_whole(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="Conv1")(image), "bn_Conv1"
    )
    x = ReLU(6.0, name="Conv1_relu")(x)
    block = 0
    for wider, filters, blocks, strides in STAGES:
        for k in range(blocks):
            x = inverted_residual(x, wider, _whole(int(filters * alpha)), strides if k == 0 else 1, block)
            block += 1
    last = _whole(1280 * alpha) if alpha > 1 else 1280
    x = normalized(Conv2D(last, 1, use_bias=False, name="Conv_1")(x), "Conv_1_bn")
    x = ReLU(6.0, name="out_relu")(x)
    model = model_of(image, top(x, include_top, pooling, classes, classifier_activation, names=(None, None)), name)
    if weights == "imagenet":
        weights = trained.of_keras(own_name, _FILE.format(float(alpha), size, "" if include_top else "_no_top"))
    if weights is not None:
        model.load_weights(weights, verbose=0)
    return model


def inverted_residual(x, wider, filters, strides, block):
    """Wide in the middle, narrow at the ends; added to x where both have the same shape."""
    shortcut, C = x, x.shape[-1]
    name = f"block_{block}" if block else "expanded_conv"
    if block:
        x = Conv2D(wider * C, 1, padding="same", use_bias=False, name=f"{name}_expand")(x)
        x = ReLU(6.0, name=f"{name}_expand_relu")(normalized(x, f"{name}_expand_BN"))
    if strides == 2:
        margins = tuple((0 if side is None or side % 2 == 0 else 1, 1) for side in x.shape[1:3])
        x = ZeroPadding2D(margins, name=f"{name}_pad")(x)
    padding = "same" if strides == 1 else "valid"
    x = DepthwiseConv2D(3, strides=strides, padding=padding, use_bias=False, name=f"{name}_depthwise")(x)
    x = ReLU(6.0, name=f"{name}_depthwise_relu")(normalized(x, f"{name}_depthwise_BN"))
    x = Conv2D(filters, 1, padding="same", use_bias=False, name=f"{name}_project")(x)
    x = normalized(x, f"{name}_project_BN")
    return Add(name=f"{name}_add")([shortcut, x]) if strides == 1 and filters == C else x


def normalized(x, name):
    return BatchNormalization(epsilon=1e-3, momentum=0.999, name=name)(x)


def preprocess_input(x, data_format=None):
    """Pixels from -1 to 1; see `imagenet_utils.preprocess_input`."""
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")


def _whole(filters):
    """The multiple of 8 next to `filters`, and never more than a tenth below it."""
    whole = max(8, int(filters + 4) // 8 * 8)
    return whole + 8 if whole < 0.9 * filters else whole
