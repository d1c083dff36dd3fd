"""Layers that move numbers about and compute nothing."""

from scratchnet.layers.reshaping.cropping import Cropping1D, Cropping2D, Cropping3D
from scratchnet.layers.reshaping.flatten import Flatten
from scratchnet.layers.reshaping.permute import Permute
from scratchnet.layers.reshaping.repeat_vector import RepeatVector
from scratchnet.layers.reshaping.reshape import Reshape
from scratchnet.layers.reshaping.up_sampling2d import UpSampling2D
from scratchnet.layers.reshaping.up_sampling_1d_3d import UpSampling1D, UpSampling3D
from scratchnet.layers.reshaping.zero_padding import ZeroPadding1D, ZeroPadding2D, ZeroPadding3D

__all__ = [
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Flatten",
    "Permute",
    "RepeatVector",
    "Reshape",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
]
