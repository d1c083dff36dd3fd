"""Layers, under Keras's names. One idea a file; `scratchnet.layers.base` says what they have in common."""

from typing import TYPE_CHECKING

from scratchnet import registry
from scratchnet.doors import door, opened
from scratchnet.graph.symbolic import KerasTensor
from scratchnet.layers.base import Layer
from scratchnet.layers.input_spec import InputSpec
from scratchnet.layers.wrapper import Wrapper
from scratchnet.missing import refusal

# What each room hands on. A room is entered when one of its layers is asked for.
_ROOMS = {
    "activations": "Activation ELU LeakyReLU PReLU ReLU Softmax".split(),
    "attention": "AdditiveAttention Attention GroupQueryAttention GroupedQueryAttention MultiHeadAttention".split(),
    "capsules": "CapsuleLayer CapsuleMask Length PrimaryCapsules Squash".split(),
    "convolutional": (
        "Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose Convolution1D Convolution1DTranspose "
        "Convolution2D Convolution2DTranspose Convolution3D Convolution3DTranspose DepthwiseConv1D DepthwiseConv2D "
        "SeparableConv1D SeparableConv2D SeparableConvolution1D SeparableConvolution2D"
    ).split(),
    "core": "Dense EinsumDense Embedding Identity Input InputLayer Lambda Masking ReversibleEmbedding".split(),
    "merging": (
        "Add Average Concatenate Dot Maximum Minimum Multiply Subtract add average concatenate dot maximum minimum "
        "multiply subtract"
    ).split(),
    "normalization": (
        "BatchNormalization GroupNormalization LayerNormalization RMSNormalization SpectralNormalization "
        "UnitNormalization"
    ).split(),
    "pooling": (
        "AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling1D "
        "AdaptiveMaxPooling2D AdaptiveMaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D "
        "AvgPool2D AvgPool3D GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalAvgPool1D "
        "GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D GlobalMaxPooling1D "
        "GlobalMaxPooling2D GlobalMaxPooling3D MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D "
        "MaxPooling3D"
    ).split(),
    "preprocessing": (
        "AutoContrast CategoryEncoding CenterCrop ContrastLimitedAdaptiveHistogramEqualization CutMix "
        "Discretization Equalization HashedCrossing Hashing IntegerLookup MelSpectrogram MixUp Normalization "
        "Pipeline RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop "
        "RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHue RandomInvert "
        "RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness RandomShear "
        "RandomTranslation RandomZoom Rescaling Resizing STFTSpectrogram Solarization StringLookup "
        "TextVectorization"
    ).split(),
    "regularization": (
        "ActivityRegularization AlphaDropout Dropout GaussianDropout GaussianNoise SpatialDropout1D "
        "SpatialDropout2D SpatialDropout3D"
    ).split(),
    "reshaping": (
        "Cropping1D Cropping2D Cropping3D Flatten Permute RepeatVector Reshape UpSampling1D UpSampling2D "
        "UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D"
    ).split(),
    "rnn": (
        "Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D GRU GRUCell LSTM LSTMCell RNN SimpleRNN SimpleRNNCell "
        "StackedRNNCells TimeDistributed"
    ).split(),
    "variational": "GaussianKL Sampling".split(),
}

__all__ = sorted(
    [
        "InputSpec",
        "KerasTensor",
        "Layer",
        "Wrapper",
        "deserialize",
        "serialize",
        *(name for names in _ROOMS.values() for name in names),
    ]
)
registry.import_when_missed("layers", opened(__name__, _ROOMS))
if TYPE_CHECKING:
    from scratchnet.layers import (
        activations,
        attention,
        capsules,
        convolutional,
        core,
        merging,
        normalization,
        pooling,
        preprocessing,
        regularization,
        reshaping,
        rnn,
        variational,
    )
    from scratchnet.layers.activations import *
    from scratchnet.layers.attention import *
    from scratchnet.layers.capsules import *
    from scratchnet.layers.convolutional import *
    from scratchnet.layers.core import *
    from scratchnet.layers.merging import *
    from scratchnet.layers.normalization import *
    from scratchnet.layers.pooling import *
    from scratchnet.layers.preprocessing import *
    from scratchnet.layers.regularization import *
    from scratchnet.layers.reshaping import *
    from scratchnet.layers.rnn import *
    from scratchnet.layers.variational import *
else:
    __getattr__ = door(__name__, _ROOMS, refusal(__name__))


def __dir__():
    return __all__


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
