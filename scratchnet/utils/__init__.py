"""Small helpers under Keras's names. One idea a file."""

from scratchnet.callbacks.progbar import Progbar
from scratchnet.utils.arrays import normalize, to_categorical
from scratchnet.utils.dataset import Dataset
from scratchnet.utils.dot import model_to_dot
from scratchnet.utils.drawing import plot_model
from scratchnet.utils.image_dataset import image_dataset_from_directory
from scratchnet.utils.images import array_to_img, img_to_array, load_img, save_img
from scratchnet.utils.py_dataset import PyDataset
from scratchnet.utils.sequences import pad_sequences
from scratchnet.utils.sessions import clear_session, set_random_seed
from scratchnet.utils.splitting import split_dataset
from scratchnet.utils.text_dataset import text_dataset_from_directory
from scratchnet.utils.timeseries import timeseries_dataset_from_array

Sequence = PyDataset  # Keras's older name

__all__ = [
    "Dataset",
    "Progbar",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "clear_session",
    "image_dataset_from_directory",
    "img_to_array",
    "load_img",
    "model_to_dot",
    "normalize",
    "pad_sequences",
    "plot_model",
    "save_img",
    "set_random_seed",
    "split_dataset",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "to_categorical",
]


def __dir__():
    return __all__
