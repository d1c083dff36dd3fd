"""Pictures, as old programs import them."""

from scratchnet.preprocessing.image_generator import ImageDataGenerator
from scratchnet.utils.image_dataset import image_dataset_from_directory
from scratchnet.utils.images import array_to_img, img_to_array, load_img, save_img, smart_resize

__all__ = [
    "ImageDataGenerator",
    "array_to_img",
    "image_dataset_from_directory",
    "img_to_array",
    "load_img",
    "save_img",
    "smart_resize",
]
