"""Layers that slide a kernel over a sequence, an image or a volume."""

from scratchnet.layers.convolutional.conv1d import Conv1D
from scratchnet.layers.convolutional.conv1d_transpose import Conv1DTranspose
from scratchnet.layers.convolutional.conv2d import Conv2D
from scratchnet.layers.convolutional.conv2d_transpose import Conv2DTranspose
from scratchnet.layers.convolutional.conv3d import Conv3D, Conv3DTranspose
from scratchnet.layers.convolutional.depthwise_conv import DepthwiseConv1D, DepthwiseConv2D
from scratchnet.layers.convolutional.separable_conv import SeparableConv1D, SeparableConv2D

# Keras's other names for the same layers.
Convolution1D = Conv1D
Convolution1DTranspose = Conv1DTranspose
Convolution2D = Conv2D
Convolution2DTranspose = Conv2DTranspose
Convolution3D = Conv3D
Convolution3DTranspose = Conv3DTranspose
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D

__all__ = [
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
]
