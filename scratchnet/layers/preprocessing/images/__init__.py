"""Layers that prepare images, and change them at random in training."""

from scratchnet.layers.preprocessing.images.auto_contrast import AutoContrast
from scratchnet.layers.preprocessing.images.center_crop import CenterCrop
from scratchnet.layers.preprocessing.images.contrast_limited_adaptive_histogram_equalization import (
    ContrastLimitedAdaptiveHistogramEqualization,
)
from scratchnet.layers.preprocessing.images.cut_mix import CutMix
from scratchnet.layers.preprocessing.images.equalization import Equalization
from scratchnet.layers.preprocessing.images.mix_up import MixUp
from scratchnet.layers.preprocessing.images.random_brightness import RandomBrightness
from scratchnet.layers.preprocessing.images.random_color_degeneration import RandomColorDegeneration
from scratchnet.layers.preprocessing.images.random_color_jitter import RandomColorJitter
from scratchnet.layers.preprocessing.images.random_contrast import RandomContrast
from scratchnet.layers.preprocessing.images.random_crop import RandomCrop
from scratchnet.layers.preprocessing.images.random_elastic_transform import RandomElasticTransform
from scratchnet.layers.preprocessing.images.random_erasing import RandomErasing
from scratchnet.layers.preprocessing.images.random_flip import RandomFlip
from scratchnet.layers.preprocessing.images.random_gaussian_blur import RandomGaussianBlur
from scratchnet.layers.preprocessing.images.random_grayscale import RandomGrayscale
from scratchnet.layers.preprocessing.images.random_hue import RandomHue
from scratchnet.layers.preprocessing.images.random_invert import RandomInvert
from scratchnet.layers.preprocessing.images.random_perspective import RandomPerspective
from scratchnet.layers.preprocessing.images.random_posterization import RandomPosterization
from scratchnet.layers.preprocessing.images.random_rotation import RandomRotation
from scratchnet.layers.preprocessing.images.random_saturation import RandomSaturation
from scratchnet.layers.preprocessing.images.random_sharpness import RandomSharpness
from scratchnet.layers.preprocessing.images.random_shear import RandomShear
from scratchnet.layers.preprocessing.images.random_translation import RandomTranslation
from scratchnet.layers.preprocessing.images.random_zoom import RandomZoom
from scratchnet.layers.preprocessing.images.resizing import Resizing
from scratchnet.layers.preprocessing.images.solarization import Solarization

__all__ = [
    "AutoContrast",
    "CenterCrop",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "CutMix",
    "Equalization",
    "MixUp",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "Resizing",
    "Solarization",
]
