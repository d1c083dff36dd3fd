"""Layers that prepare images, and change them at random in training."""

from scratchnet.layers.preprocessing.images.center_crop import CenterCrop
from scratchnet.layers.preprocessing.images.random_brightness import RandomBrightness
from scratchnet.layers.preprocessing.images.random_color_jitter import RandomColorJitter
from scratchnet.layers.preprocessing.images.random_contrast import RandomContrast
from scratchnet.layers.preprocessing.images.random_crop import RandomCrop
from scratchnet.layers.preprocessing.images.random_erasing import RandomErasing
from scratchnet.layers.preprocessing.images.random_flip import RandomFlip
from scratchnet.layers.preprocessing.images.random_gaussian_blur import RandomGaussianBlur
from scratchnet.layers.preprocessing.images.random_grayscale import RandomGrayscale
from scratchnet.layers.preprocessing.images.random_hue import RandomHue
from scratchnet.layers.preprocessing.images.random_invert import RandomInvert
from scratchnet.layers.preprocessing.images.random_rotation import RandomRotation
from scratchnet.layers.preprocessing.images.random_saturation import RandomSaturation
from scratchnet.layers.preprocessing.images.random_shear import RandomShear
from scratchnet.layers.preprocessing.images.random_translation import RandomTranslation
from scratchnet.layers.preprocessing.images.random_zoom import RandomZoom
from scratchnet.layers.preprocessing.images.resizing import Resizing

__all__ = [
    "CenterCrop",
    "RandomBrightness",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomRotation",
    "RandomSaturation",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "Resizing",
]
