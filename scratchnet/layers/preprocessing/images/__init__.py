"""Layers that prepare images, and change them at random in training."""

from scratchnet.layers.preprocessing.images.center_crop import CenterCrop
from scratchnet.layers.preprocessing.images.random_crop import RandomCrop
from scratchnet.layers.preprocessing.images.random_flip import RandomFlip
from scratchnet.layers.preprocessing.images.random_rotation import RandomRotation
from scratchnet.layers.preprocessing.images.random_shear import RandomShear
from scratchnet.layers.preprocessing.images.random_translation import RandomTranslation
from scratchnet.layers.preprocessing.images.random_zoom import RandomZoom
from scratchnet.layers.preprocessing.images.resizing import Resizing

__all__ = [
    "CenterCrop",
    "RandomCrop",
    "RandomFlip",
    "RandomRotation",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "Resizing",
]
