"""Layers, under Keras's names. One idea a file; `scratchnet.layers.base` says what they have in common."""

from scratchnet import registry
from scratchnet.graph.symbolic import KerasTensor
from scratchnet.layers.activations.activation import ELU, Activation, LeakyReLU, ReLU, Softmax
from scratchnet.layers.base import Layer
from scratchnet.layers.convolutional.conv2d import Conv2D
from scratchnet.layers.core.dense import Dense
from scratchnet.layers.core.input_layer import Input, InputLayer
from scratchnet.layers.merging.add import Add
from scratchnet.layers.merging.concatenate import Concatenate
from scratchnet.layers.pooling.average_pooling2d import AveragePooling2D
from scratchnet.layers.pooling.global_average_pooling2d import GlobalAveragePooling2D
from scratchnet.layers.pooling.max_pooling2d import MaxPooling2D
from scratchnet.layers.regularization.dropout import Dropout
from scratchnet.layers.regularization.gaussian_noise import GaussianNoise
from scratchnet.layers.reshaping.flatten import Flatten
from scratchnet.layers.reshaping.repeat_vector import RepeatVector
from scratchnet.layers.reshaping.reshape import Reshape
from scratchnet.layers.reshaping.up_sampling2d import UpSampling2D
from scratchnet.layers.rnn.lstm import LSTM
from scratchnet.layers.rnn.simple_rnn import SimpleRNN
from scratchnet.layers.rnn.time_distributed import TimeDistributed
from scratchnet.missing import refusal

# Keras's other names for the same layers.
AvgPool2D = AveragePooling2D
Convolution2D = Conv2D
GlobalAvgPool2D = GlobalAveragePooling2D
MaxPool2D = MaxPooling2D

__all__ = [
    "Activation",
    "Add",
    "AveragePooling2D",
    "AvgPool2D",
    "Concatenate",
    "Conv2D",
    "Convolution2D",
    "Dense",
    "Dropout",
    "ELU",
    "Flatten",
    "GaussianNoise",
    "GlobalAveragePooling2D",
    "GlobalAvgPool2D",
    "Input",
    "InputLayer",
    "KerasTensor",
    "LSTM",
    "Layer",
    "LeakyReLU",
    "MaxPool2D",
    "MaxPooling2D",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "SimpleRNN",
    "Softmax",
    "TimeDistributed",
    "UpSampling2D",
    "add",
    "concatenate",
    "deserialize",
    "serialize",
]
__getattr__ = refusal(__name__)


def add(inputs, **kwargs):
    """``Add(**kwargs)(inputs)``."""
    return Add(**kwargs)(inputs)


def concatenate(inputs, axis=-1, **kwargs):
    """``Concatenate(axis, **kwargs)(inputs)``."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def serialize(layer):
    """A layer's (or model's) class and arguments as JSON-able values."""
    return registry.serialize(layer)


def deserialize(config, custom_objects=None):
    """The layer that `serialize` described, with new parameters.

    `custom_objects`: dict from name to class or function, for what is not scratchnet's own.
    Raises ValueError for a class that is in neither, and for a `config` that describes no layer.
    """
    if not isinstance(config, dict) or not {"class_name", "config"} <= config.keys():
        raise ValueError(f"a layer is described by a dict with 'class_name' and 'config', got {config!r}")
    return registry.deserialize(config, "layers", custom_objects)
