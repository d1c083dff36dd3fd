"""Layers that keep one number of each window."""

from scratchnet.layers.pooling.average_pooling2d import AveragePooling2D
from scratchnet.layers.pooling.global_average_pooling2d import GlobalAveragePooling2D
from scratchnet.layers.pooling.max_pooling2d import MaxPooling2D

# Keras's other names for the same layers.
AvgPool2D = AveragePooling2D
GlobalAvgPool2D = GlobalAveragePooling2D
MaxPool2D = MaxPooling2D

__all__ = [
    "AveragePooling2D",
    "AvgPool2D",
    "GlobalAveragePooling2D",
    "GlobalAvgPool2D",
    "MaxPool2D",
    "MaxPooling2D",
]
