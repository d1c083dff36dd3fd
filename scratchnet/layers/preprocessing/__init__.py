"""Layers that prepare data: numbers, sound, images, categories and text."""

from scratchnet.layers.preprocessing import audio, categories, images
from scratchnet.layers.preprocessing.audio import *
from scratchnet.layers.preprocessing.categories import *
from scratchnet.layers.preprocessing.images import *
from scratchnet.layers.preprocessing.normalization import Normalization
from scratchnet.layers.preprocessing.pipeline import Pipeline
from scratchnet.layers.preprocessing.rescaling import Rescaling
from scratchnet.layers.preprocessing.text_vectorization import TextVectorization

__all__ = sorted(
    [
        "Normalization",
        "Pipeline",
        "Rescaling",
        "TextVectorization",
        *audio.__all__,
        *categories.__all__,
        *images.__all__,
    ]
)
