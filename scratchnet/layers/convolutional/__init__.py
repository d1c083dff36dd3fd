"""Layers that slide a kernel over a sequence, an image or a volume."""

from scratchnet.layers.convolutional.conv2d import Conv2D

# Keras's other names for the same layers.
Convolution2D = Conv2D

__all__ = [
    "Conv2D",
    "Convolution2D",
]
