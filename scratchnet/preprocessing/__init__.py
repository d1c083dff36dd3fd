"""Keras's older rooms for what `scratchnet.utils` has: `image`, `sequence`, `text`."""

from scratchnet.preprocessing import image, sequence, text
from scratchnet.utils.image_dataset import image_dataset_from_directory
from scratchnet.utils.text_dataset import text_dataset_from_directory
from scratchnet.utils.timeseries import timeseries_dataset_from_array

__all__ = [
    "image",
    "image_dataset_from_directory",
    "sequence",
    "text",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]


def __dir__():
    return __all__
