"""Layers that prepare data: numbers, images, categories and text."""

from scratchnet.layers.preprocessing import images
from scratchnet.layers.preprocessing.images import *
from scratchnet.layers.preprocessing.normalization import Normalization
from scratchnet.layers.preprocessing.rescaling import Rescaling

__all__ = sorted(
    [
        "Normalization",
        "Rescaling",
        *images.__all__,
    ]
)
