"""ResNet-50 under the older of Keras's two names: see `scratchnet.applications.resnet`."""

from scratchnet.applications.resnet import ResNet50, decode_predictions, preprocess_input

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]
