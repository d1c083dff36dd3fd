"""Small helpers under Keras's names. One idea a file."""

from typing import TYPE_CHECKING

from scratchnet.callbacks.progbar import Progbar
from scratchnet.config import disable_interactive_logging, enable_interactive_logging, is_interactive_logging_enabled
from scratchnet.datasets.get_file import get_file
from scratchnet.missing import refusal
from scratchnet.models.feature_space import FeatureSpace
from scratchnet.saving import (
    CustomObjectScope,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from scratchnet.utils.arrays import normalize, to_categorical
from scratchnet.utils.audio_dataset import audio_dataset_from_directory
from scratchnet.utils.dataset import Dataset
from scratchnet.utils.dot import model_to_dot
from scratchnet.utils.drawing import plot_model
from scratchnet.utils.image_dataset import image_dataset_from_directory
from scratchnet.utils.images import array_to_img, img_to_array, load_img, save_img
from scratchnet.utils.packing import pack_x_y_sample_weight, unpack_x_y_sample_weight
from scratchnet.utils.py_dataset import PyDataset
from scratchnet.utils.sequences import pad_sequences
from scratchnet.utils.sessions import clear_session, set_random_seed
from scratchnet.utils.splitting import split_dataset
from scratchnet.utils.tensors import get_source_inputs, is_keras_tensor, standardize_dtype
from scratchnet.utils.text_dataset import text_dataset_from_directory
from scratchnet.utils.timeseries import timeseries_dataset_from_array

Sequence = PyDataset  # Keras's older name

__all__ = [
    "CustomObjectScope",
    "Dataset",
    "FeatureSpace",
    "Progbar",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "audio_dataset_from_directory",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "image_dataset_from_directory",
    "img_to_array",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "load_img",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
if not TYPE_CHECKING:
    __getattr__ = refusal(__name__)


def __dir__():
    return __all__
