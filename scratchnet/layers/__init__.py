"""Layers, under Keras's names. One idea a file; `scratchnet.layers.base` says what they have in common."""

from scratchnet import activations as functions
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

_CLASSES = {
    cls.__name__: cls
    for cls in (
        Activation,
        Add,
        AveragePooling2D,
        Concatenate,
        Conv2D,
        Dense,
        Dropout,
        ELU,
        Flatten,
        GaussianNoise,
        GlobalAveragePooling2D,
        InputLayer,
        LSTM,
        LeakyReLU,
        MaxPooling2D,
        ReLU,
        RepeatVector,
        Reshape,
        SimpleRNN,
        Softmax,
        TimeDistributed,
        UpSampling2D,
    )
}

# Keras's other names for the same layers.
AvgPool2D = AveragePooling2D
Convolution2D = Conv2D
GlobalAvgPool2D = GlobalAveragePooling2D
MaxPool2D = MaxPooling2D

_ONLY_IN_KERAS = {
    "AdditiveAttention", "AlphaDropout", "Attention", "AveragePooling1D", "AveragePooling3D", "BatchNormalization",
    "Bidirectional", "CategoryEncoding", "CenterCrop", "Conv1D", "Conv1DTranspose", "Conv2DTranspose", "Conv3D",
    "Conv3DTranspose", "ConvLSTM2D", "Cropping1D", "Cropping2D", "Cropping3D", "DepthwiseConv2D", "Dot", "Embedding",
    "GRU", "GRUCell", "GaussianDropout", "GlobalAveragePooling1D", "GlobalMaxPooling1D", "GlobalMaxPooling2D",
    "GroupNormalization", "LSTMCell", "Lambda", "LayerNormalization", "Masking", "MaxPooling1D", "MaxPooling3D",
    "Maximum", "Minimum", "MultiHeadAttention", "Multiply", "Normalization", "PReLU", "Permute", "RNN", "RandomCrop",
    "RandomFlip", "RandomRotation", "Rescaling", "Resizing", "SeparableConv2D", "SimpleRNNCell", "SpatialDropout1D",
    "SpatialDropout2D", "StackedRNNCells", "Subtract", "UnitNormalization", "UpSampling1D", "UpSampling3D",
    "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "Average",
}  # fmt: skip

__all__ = [
    *_CLASSES,
    "AvgPool2D",
    "Convolution2D",
    "GlobalAvgPool2D",
    "Input",
    "KerasTensor",
    "Layer",
    "MaxPool2D",
    "add",
    "concatenate",
    "deserialize",
    "serialize",
]


def __getattr__(name):
    if name in _ONLY_IN_KERAS:
        raise AttributeError(f"Keras's layer {name} is not implemented in scratchnet; there are {', '.join(_CLASSES)}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def add(inputs, **kwargs):
    """``Add(**kwargs)(inputs)``."""
    return Add(**kwargs)(inputs)


def concatenate(inputs, axis=-1, **kwargs):
    """``Concatenate(axis, **kwargs)(inputs)``."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def serialize(layer):
    """A layer's (or model's) class and arguments as JSON-able values."""
    return {"class_name": type(layer).__name__, "config": layer.get_config()}


def deserialize(settings, custom_objects=None):
    """The layer that `serialize` described, with new parameters.

    `custom_objects`: dict from name to class, or to Activation, for what is not scratchnet's own.
    Raises ValueError for a class that is in neither, and for `settings` that describe no layer.
    """
    if not isinstance(settings, dict) or not {"class_name", "config"} <= settings.keys():
        raise ValueError(f"a layer is described by a dict with 'class_name' and 'config', got {settings!r}")
    name, config, custom_objects = settings["class_name"], settings["config"], custom_objects or {}
    if name in ("Model", "Sequential") and name not in custom_objects:
        from scratchnet import models

        return getattr(models, name).from_config(config, custom_objects)
    cls = custom_objects.get(name) or _CLASSES.get(name)
    if cls is None:
        raise ValueError(f"unknown layer class {name!r}; a layer of your own must be given in custom_objects")
    if cls is TimeDistributed:
        return cls.from_config(config, custom_objects)
    return cls.from_config({key: _own_activation(value, custom_objects) for key, value in config.items()})


def _own_activation(value, custom_objects):
    """The Activation of `custom_objects` that a value of a configuration names; any other value as it is."""
    named = value.get("name") if isinstance(value, dict) else value
    found = custom_objects.get(named) if isinstance(named, str) else None
    if not isinstance(found, functions.Activation):
        return value
    return found.with_parameters(**value["parameters"]) if isinstance(value, dict) else found
