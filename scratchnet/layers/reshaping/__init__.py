"""Layers that move numbers about and compute nothing."""

from scratchnet.layers.reshaping.flatten import Flatten
from scratchnet.layers.reshaping.repeat_vector import RepeatVector
from scratchnet.layers.reshaping.reshape import Reshape
from scratchnet.layers.reshaping.up_sampling2d import UpSampling2D

__all__ = [
    "Flatten",
    "RepeatVector",
    "Reshape",
    "UpSampling2D",
]
