"""ResNet-50: a deep network whose blocks learn what to add to their input.

    y = relu(x + F(x))

Plain networks become harder to train the deeper they are, even on the training set. A block that has only to learn the
difference from the identity can always do nothing, and the gradient finds a way past every block: dx = dy (1 + F'(x)).
In the deep variants F narrows the channels by a 1x1 convolution, looks around by a 3x3 one, and widens them again;
where the size changes, the shortcut is a 1x1 convolution (He, Zhang, Ren and Sun, "Deep residual learning for image
recognition", 2016).

Layers, names and order are Keras's, so that its files of weights fit. As in Keras, the stride is in a block's first
convolution, and batch normalization has an epsilon of 1.001e-5.
"""

from scratchnet.applications import imagenet_utils
from scratchnet.applications import weights as trained
from scratchnet.applications.building import check_arguments, image_input, model_of, top
from scratchnet.applications.imagenet_utils import decode_predictions
from scratchnet.layers import Activation, Add, BatchNormalization, Conv2D, MaxPooling2D, ZeroPadding2D

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]

EPSILON = 1.001e-5
_FILE = "resnet50_weights_tf_dim_ordering_tf_kernels{}.h5"


def ResNet50(
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    name="resnet50",
):
    """A model of 50 layers with weights, 25.6 million parameters.

    Args:
        include_top: False ends with the last maps, (N, H / 32, W / 32, 2048).
        weights: None for random ones; the path of a file; "imagenet" for the file that Keras has downloaded.
        input_tensor: a symbolic image, in place of a new `Input`.
        input_shape: (height, width, channels), of 32 pixels or more; by default (224, 224, 3), or any size without the
            top.
        pooling: without the top: "avg" or "max" for one number of each map.
        classes: how many classes the top has.
        classifier_activation: "softmax" or, for logits, None.
        name: of the model.

    Raises ValueError for arguments that do not go together, FileNotFoundError if there is no file of weights.
    """
    check_arguments(name, include_top, weights, pooling, classes, classifier_activation)
    image = image_input(name, input_shape, input_tensor, include_top, weights, default_size=224, min_size=32)
    x = ZeroPadding2D(3, name="conv1_pad")(image)
    x = Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    x = BatchNormalization(epsilon=EPSILON, name="conv1_bn")(x)
    x = Activation("relu", name="conv1_relu")(x)
    x = ZeroPadding2D(1, name="pool1_pad")(x)
    x = MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for stage, filters, blocks, strides in ((2, 64, 3, 1), (3, 128, 4, 2), (4, 256, 6, 2), (5, 512, 3, 2)):
        for block in range(1, blocks + 1):
            first = block == 1
            x = bottleneck(x, filters, strides if first else 1, first, name=f"conv{stage}_block{block}")
    model = model_of(image, top(x, include_top, pooling, classes, classifier_activation), name)
    if weights is not None:
        path = (
            trained.of_keras(name, _FILE.format("" if include_top else "_notop")) if weights == "imagenet" else weights
        )
        model.load_weights(path, verbose=0)
    return model


def bottleneck(x, filters, strides, widens, name):
    """Three convolutions that learn what to add to x; `widens` where the shortcut needs one, too."""
    shortcut = x
    if widens:
        shortcut = Conv2D(4 * filters, 1, strides=strides, name=f"{name}_0_conv")(x)
        shortcut = BatchNormalization(epsilon=EPSILON, name=f"{name}_0_bn")(shortcut)
    x = Conv2D(filters, 1, strides=strides, name=f"{name}_1_conv")(x)
    x = BatchNormalization(epsilon=EPSILON, name=f"{name}_1_bn")(x)
    x = Activation("relu", name=f"{name}_1_relu")(x)
    x = Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(x)
    x = BatchNormalization(epsilon=EPSILON, name=f"{name}_2_bn")(x)
    x = Activation("relu", name=f"{name}_2_relu")(x)
    x = Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    x = BatchNormalization(epsilon=EPSILON, name=f"{name}_3_bn")(x)
    x = Add(name=f"{name}_add")([shortcut, x])
    return Activation("relu", name=f"{name}_out")(x)


def preprocess_input(x, data_format=None):
    """Blue first, minus ImageNet's mean color; see `imagenet_utils.preprocess_input`."""
    return imagenet_utils.preprocess_input(x, data_format, mode="caffe")
