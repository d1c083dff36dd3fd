"""Every layer of the library is written to ONNX with all its options, or has a reason why it is not."""

import numpy as np
import onnxruntime
import pytest

from scratchnet import activations, layers, ops, registry
from scratchnet.layers import (
    GRU,
    LSTM,
    Attention,
    Bidirectional,
    CapsuleLayer,
    Dense,
    Embedding,
    Input,
    LayerNormalization,
    Masking,
    MultiHeadAttention,
    PrimaryCapsules,
    SimpleRNN,
    Squash,
    TimeDistributed,
)  # fmt: skip
from scratchnet.layers.rnn.cell import Cell
from scratchnet.models import Model, Sequential
from scratchnet.structure import flatten
from tests.files.onnx_writing.comparing import (
    FILM,
    IMAGE,
    OTHER,
    RNG,
    ROW,
    SERIES,
    TOKENS,
    VOLUME,
    WORDS,
    Leaky,
    check,
    data,
    given,
    moved,
)

L = layers
FIRST = {"data_format": "channels_first"}

# For each layer (makers or names of arguments): how it is made, and the shapes of its inputs.
EXPORTED = {
    "Activation": [(lambda: L.Activation("tanh"), ROW), (lambda: L.Activation(tanh), IMAGE)],
    "ActivityRegularization": [(lambda: L.ActivityRegularization(l2=0.1), ROW)],
    "Add": [(lambda: L.Add(), SERIES, SERIES), (lambda: L.Add(), SERIES, (4,))],
    "AdaptiveAveragePooling1D": [(lambda: L.AdaptiveAveragePooling1D(4), SERIES)],
    "AdaptiveAveragePooling2D": [
        (lambda: L.AdaptiveAveragePooling2D((3, 2)), IMAGE),
        (lambda: L.AdaptiveAveragePooling2D(2, **FIRST), IMAGE),
    ],
    "AdaptiveAveragePooling3D": [(lambda: L.AdaptiveAveragePooling3D(2), VOLUME)],
    "AdaptiveMaxPooling1D": [(lambda: L.AdaptiveMaxPooling1D(4), SERIES)],
    "AdaptiveMaxPooling2D": [(lambda: L.AdaptiveMaxPooling2D((3, 2)), IMAGE)],
    "AdaptiveMaxPooling3D": [(lambda: L.AdaptiveMaxPooling3D(2), VOLUME)],
    "SpectralNormalization": [(lambda: L.SpectralNormalization(L.Conv2D(3, 2)), IMAGE)],
    "AdditiveAttention": [
        (lambda: L.AdditiveAttention(), SERIES, OTHER),
        (lambda: L.AdditiveAttention(False), SERIES, OTHER),
    ],
    "AlphaDropout": [(lambda: L.AlphaDropout(0.5), ROW)],
    "Attention": [
        (lambda: L.Attention(), SERIES, OTHER),
        (lambda: L.Attention(use_scale=True, score_mode="concat"), SERIES, OTHER, OTHER),
    ],
    "AutoContrast": [(lambda: L.AutoContrast((-1.0, 2.0)), IMAGE), (lambda: L.AutoContrast(**FIRST), IMAGE)],
    "Average": [(lambda: L.Average(), SERIES, SERIES, SERIES)],
    "AveragePooling1D": [
        (lambda: L.AveragePooling1D(3, 2, "same"), SERIES),
        (lambda: L.AveragePooling1D(2, **FIRST), SERIES),
    ],
    "AveragePooling2D": [
        (lambda: L.AveragePooling2D((3, 2), 2, "same"), IMAGE),
        (lambda: L.AveragePooling2D((2, 1), 3, **FIRST), IMAGE),
    ],
    "AveragePooling3D": [(lambda: L.AveragePooling3D(2, 1, "same"), VOLUME)],
    "BatchNormalization": [
        (lambda: L.BatchNormalization(epsilon=0.1), IMAGE),
        (lambda: L.BatchNormalization(axis=1, center=False), IMAGE),
        (lambda: L.BatchNormalization(axis=2, scale=False), SERIES),
        (lambda: L.BatchNormalization(axis=2), IMAGE),
        (lambda: L.BatchNormalization(), ROW),
    ],
    "Bidirectional": [
        (lambda: Bidirectional(LSTM(3, return_sequences=True)), SERIES),
        (lambda: Bidirectional(GRU(3, return_sequences=True), merge_mode="mul"), SERIES),
        (lambda: Bidirectional(SimpleRNN(3), merge_mode="ave"), SERIES),
        (lambda: Bidirectional(LSTM(3, return_state=True)), SERIES),
        (lambda: Bidirectional(GRU(3, return_sequences=True, return_state=True), merge_mode=None), SERIES),
        (lambda: Bidirectional(LSTM(3), backward_layer=GRU(2, go_backwards=True)), SERIES),
        (lambda: Bidirectional(L.RNN(L.LSTMCell(3), return_sequences=True)), SERIES),
        (lambda: Bidirectional(LSTM(3)), SERIES, (3,), (3,), (3,), (3,)),
    ],
    "CapsuleLayer": [(lambda: CapsuleLayer(3, 5), SERIES), (lambda: CapsuleLayer(2, 4, routings=1), SERIES)],
    "CapsuleMask": [(lambda: L.CapsuleMask(), SERIES), (lambda: L.CapsuleMask(), SERIES, (6,))],
    "CategoryEncoding": [
        (lambda: L.CategoryEncoding(10), TOKENS),
        (lambda: L.CategoryEncoding(10, "count"), TOKENS),
        (lambda: L.CategoryEncoding(10, "one_hot"), TOKENS),
    ],
    "RandomCrop": [(lambda: L.RandomCrop(4, 5), IMAGE)],
    "CenterCrop": [(lambda: L.CenterCrop(4, 4), IMAGE), (lambda: L.CenterCrop(3, 2, **FIRST), IMAGE)],
    "Concatenate": [(lambda: L.Concatenate(), SERIES, SERIES), (lambda: L.Concatenate(axis=1), SERIES, OTHER)],
    "Conv1D": [
        (lambda: L.Conv1D(3, 3, 2, "same"), SERIES),
        (lambda: L.Conv1D(4, 2, padding="causal", dilation_rate=2, groups=2), SERIES),
        (lambda: L.Conv1D(4, 2, padding="causal", strides=2), SERIES),
        (lambda: L.Conv1D(3, 2, **FIRST, use_bias=False), SERIES),
    ],
    "Conv1DTranspose": [
        (lambda: L.Conv1DTranspose(3, 3, 2, "same"), SERIES),
        (lambda: L.Conv1DTranspose(3, 2, 3, output_padding=1), SERIES),
        (lambda: L.Conv1DTranspose(3, 2, dilation_rate=2, **FIRST), SERIES),
    ],
    "Conv2D": [
        (lambda: L.Conv2D(3, (3, 2), (2, 1), "same", activation="gelu"), IMAGE),
        (lambda: L.Conv2D(4, 2, dilation_rate=(2, 3), groups=4, use_bias=False), IMAGE),
        (lambda: L.Conv2D(4, 3, padding="same", dilation_rate=2), IMAGE),
        (lambda: L.Conv2D(4, 3, 2, "same", **FIRST), IMAGE),
        (lambda: L.Conv2D(4, 3, activation="softmax", **FIRST), IMAGE),
    ],
    "Conv2DTranspose": [
        (lambda: L.Conv2DTranspose(3, 3, 2, "same"), IMAGE),
        (lambda: L.Conv2DTranspose(3, (2, 3), (3, 1), activation="relu"), IMAGE),
        (lambda: L.Conv2DTranspose(3, 3, 2, "same", output_padding=1), IMAGE),
        (lambda: L.Conv2DTranspose(3, 1, 3, "same"), IMAGE),
        (lambda: L.Conv2DTranspose(3, 2, dilation_rate=2, use_bias=False), IMAGE),
        (lambda: L.Conv2DTranspose(3, 3, 2, **FIRST), IMAGE),
    ],
    "Conv3D": [(lambda: L.Conv3D(3, 2, 2, "same"), VOLUME), (lambda: L.Conv3D(2, (1, 2, 3), groups=2), VOLUME)],
    "Conv3DTranspose": [(lambda: L.Conv3DTranspose(3, 2, 2, "same"), VOLUME)],
    "ConvLSTM1D": [(lambda: L.ConvLSTM1D(3, 3, padding="same", return_sequences=True), FILM[:2] + FILM[3:])],
    "ConvLSTM2D": [
        (lambda: L.ConvLSTM2D(3, 3), FILM),
        (lambda: L.ConvLSTM2D(3, (2, 3), 2, "same", return_sequences=True, go_backwards=True), FILM),
        (lambda: L.ConvLSTM2D(2, 2, dilation_rate=2, recurrent_activation="hard_sigmoid", return_state=True), FILM),
        (lambda: L.ConvLSTM2D(2, 3, padding="same", use_bias=False), FILM, (6, 5, 2), (6, 5, 2)),
        (lambda: L.ConvLSTM2D(2, 2, **FIRST), (3, 2, 6, 5)),
    ],
    "ConvLSTM3D": [(lambda: L.ConvLSTM3D(2, 2), (3, *VOLUME))],
    "Cropping1D": [(lambda: L.Cropping1D((1, 2)), SERIES)],
    "Cropping2D": [(lambda: L.Cropping2D(((1, 2), (0, 3))), IMAGE), (lambda: L.Cropping2D(1, **FIRST), IMAGE)],
    "Cropping3D": [(lambda: L.Cropping3D(1), VOLUME)],
    "Dense": [
        (lambda: Dense(3, "softmax"), ROW),
        (lambda: Dense(3, use_bias=False), IMAGE),
        (lambda: Dense(3), SERIES),
    ],
    "DepthwiseConv1D": [(lambda: L.DepthwiseConv1D(3, 2, "same"), SERIES)],
    "DepthwiseConv2D": [
        (lambda: L.DepthwiseConv2D(3, depth_multiplier=2, padding="same", strides=2), IMAGE),
        (lambda: L.DepthwiseConv2D((2, 3), dilation_rate=2, use_bias=False), IMAGE),
        (lambda: L.DepthwiseConv2D(2, **FIRST), IMAGE),
    ],
    "Discretization": [
        (lambda: L.Discretization([-0.5, 0.0, 0.7]), ROW),
        (lambda: L.Discretization([-0.5, 0.0, 0.7], output_mode="one_hot"), ROW[:0] + (1,)),
    ],
    "Dot": [
        (lambda: L.Dot(-1), ROW, ROW),
        (lambda: L.Dot((2, 2)), SERIES, OTHER),
        (lambda: L.Dot((2, 2), normalize=True), SERIES, OTHER),
    ],
    "Dropout": [(lambda: L.Dropout(0.5), ROW)],
    "ELU": [(lambda: L.ELU(0.5), ROW)],
    "EinsumDense": [
        (lambda: L.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d", activation="relu"), SERIES),
        (lambda: L.EinsumDense("...x,xy->...y", 3), SERIES),
    ],
    "Embedding": [(lambda: Embedding(10, 3), TOKENS), (lambda: Embedding(10, 3, mask_zero=True), TOKENS)],
    "ReversibleEmbedding": [(lambda: L.ReversibleEmbedding(10, 3), TOKENS)],
    "Flatten": [(lambda: L.Flatten(), IMAGE), (lambda: L.Flatten(**FIRST), IMAGE)],
    "GRUCell": [(lambda: L.GRUCell(3, reset_after=False), (4,), (3,))],
    "GRU": [
        (lambda: GRU(3, return_sequences=True), SERIES),
        (lambda: GRU(3, reset_after=False, go_backwards=True, return_sequences=True), SERIES),
        (lambda: GRU(3, use_bias=False, return_state=True), SERIES),
        (lambda: GRU(3, use_bias=False, reset_after=False, activation="gelu"), SERIES),
        (lambda: GRU(3, activation="leaky_relu", recurrent_activation="hard_sigmoid"), SERIES),
        (lambda: GRU(3), SERIES, (3,)),
    ],
    "GaussianDropout": [(lambda: L.GaussianDropout(0.5), ROW)],
    "GaussianKL": [(lambda: L.GaussianKL(), ROW, ROW)],
    "GaussianNoise": [(lambda: L.GaussianNoise(0.5), ROW)],
    "GlobalAveragePooling1D": [
        (lambda: L.GlobalAveragePooling1D(keepdims=True), SERIES),
        (lambda: L.GlobalAveragePooling1D(**FIRST), SERIES),
    ],
    "GlobalAveragePooling2D": [
        (lambda: L.GlobalAveragePooling2D(), IMAGE),
        (lambda: L.GlobalAveragePooling2D(**FIRST, keepdims=True), IMAGE),
    ],
    "GlobalAveragePooling3D": [(lambda: L.GlobalAveragePooling3D(), VOLUME)],
    "GlobalMaxPooling1D": [(lambda: L.GlobalMaxPooling1D(), SERIES)],
    "GlobalMaxPooling2D": [(lambda: L.GlobalMaxPooling2D(keepdims=True), IMAGE)],
    "GlobalMaxPooling3D": [(lambda: L.GlobalMaxPooling3D(), VOLUME)],
    "GroupNormalization": [
        (lambda: L.GroupNormalization(2), IMAGE),
        (lambda: L.GroupNormalization(-1, scale=False), SERIES),
        (lambda: L.GroupNormalization(2, axis=1), IMAGE),
    ],
    "GroupedQueryAttention": [(lambda: L.GroupedQueryAttention(4, 4, 2, use_gate=True), SERIES, OTHER)],
    "Identity": [(lambda: L.Identity(), ROW)],
    "InputLayer": [(lambda: L.InputLayer(ROW), ROW)],
    "IntegerLookup": [
        (lambda: L.IntegerLookup(vocabulary=[4, 7, 2]), TOKENS),
        (lambda: L.IntegerLookup(vocabulary=[4, 7, 2], num_oov_indices=3, mask_token=1), TOKENS),
        (lambda: L.IntegerLookup(vocabulary=[4, 7], mask_token=2, output_mode="count", max_tokens=5), TOKENS),
        (lambda: L.IntegerLookup(vocabulary=[8, 9, 6], mask_token=7, invert=True), TOKENS),
    ],
    "LSTMCell": [(lambda: L.LSTMCell(3, "relu", use_bias=False), (4,), (3,), (3,))],
    "LSTM": [
        (lambda: LSTM(3, return_sequences=True, go_backwards=True), SERIES),
        (lambda: LSTM(3, return_state=True, use_bias=False), SERIES),
        (lambda: LSTM(3, activation="relu", recurrent_activation="hard_sigmoid", return_sequences=True), SERIES),
        (lambda: LSTM(3, activation="silu", go_backwards=True, return_sequences=True, return_state=True), SERIES),
        (lambda: LSTM(3, use_bias=False), SERIES, (3,), (3,)),
        (lambda: LSTM(3, activation="linear", go_backwards=True), SERIES),
    ],
    "Lambda": [(lambda: L.Lambda(lambda x: x * 2 + 1), ROW)],
    "LayerNormalization": [
        (lambda: LayerNormalization(), SERIES),
        (lambda: LayerNormalization(axis=(1, 2), center=False), SERIES),
        (lambda: LayerNormalization(axis=1, scale=False, epsilon=0.1), IMAGE),
    ],
    "LeakyReLU": [(lambda: L.LeakyReLU(0.1), ROW)],
    "Length": [(lambda: L.Length(), SERIES)],
    "Masking": [(lambda: Masking(), SERIES), (lambda: Masking(0.5), SERIES)],
    "MaxPooling1D": [
        (lambda: L.MaxPooling1D(2, 3), SERIES),
        (lambda: L.MaxPooling1D(2, padding="same", **FIRST), SERIES),
    ],
    "MaxPooling2D": [(lambda: L.MaxPooling2D((3, 2), 2, "same"), IMAGE), (lambda: L.MaxPooling2D(2, **FIRST), IMAGE)],
    "MaxPooling3D": [(lambda: L.MaxPooling3D(2, padding="same"), VOLUME)],
    "Maximum": [(lambda: L.Maximum(), SERIES, SERIES)],
    "Minimum": [(lambda: L.Minimum(), SERIES, SERIES)],
    "MelSpectrogram": [
        (lambda: L.MelSpectrogram(16, 5, 12, num_mel_bins=4, min_power=1e-3, top_db=10.0), (50,)),
        (lambda: L.MelSpectrogram(15, 4, num_mel_bins=3, mag_exp=1.0, power_to_db=False), (50,)),
    ],
    "MultiHeadAttention": [
        (lambda: MultiHeadAttention(2, 3), SERIES, OTHER, OTHER),
        (lambda: MultiHeadAttention(2, 3, sliding_window=2), SERIES, SERIES),
        (lambda: MultiHeadAttention(2, 3, attention_axes=2, sliding_window=2), IMAGE, IMAGE),
        (lambda: MultiHeadAttention(2, 3, value_dim=2, use_gate=True), IMAGE, IMAGE[:1] + (3, 4)),
        (lambda: MultiHeadAttention(2, 3, attention_axes=(1, 3)), VOLUME, VOLUME),
        (lambda: MultiHeadAttention(2, 3, value_dim=2, output_shape=5, use_bias=False, use_gate=True), SERIES, OTHER),
    ],
    "Multiply": [(lambda: L.Multiply(), SERIES, SERIES)],
    "Normalization": [
        (lambda: L.Normalization(mean=0.5, variance=2.0), IMAGE),
        (lambda: L.Normalization(axis=-1, mean=[1.0, 2.0, 3.0, 4.0], variance=[1.0, 2.0, 3.0, 0.0]), SERIES),
        (lambda: L.Normalization(mean=0.5, variance=2.0, invert=True), ROW),
    ],
    "PReLU": [(lambda: L.PReLU(), IMAGE), (lambda: L.PReLU(shared_axes=(1, 2)), IMAGE)],
    "Permute": [(lambda: L.Permute((3, 1, 2)), IMAGE)],
    "Pipeline": [(lambda: L.Pipeline([L.Rescaling(2.0), L.CenterCrop(4, 4)]), IMAGE)],
    "PrimaryCapsules": [(lambda: PrimaryCapsules(2, 3, 3, strides=2), IMAGE)],
    "RMSNormalization": [(lambda: L.RMSNormalization(), SERIES)],
    "RNN": [
        (lambda: L.RNN(L.LSTMCell(3), return_sequences=True, go_backwards=True), SERIES),
        (lambda: L.RNN([L.GRUCell(3), L.LSTMCell(2), L.SimpleRNNCell(4)], return_state=True), SERIES),
        (lambda: L.RNN(Leaky(3)), SERIES),
        (lambda: L.RNN([L.GRUCell(3), Leaky(2)], return_sequences=True, return_state=True, go_backwards=True), SERIES),
        (lambda: L.RNN(L.StackedRNNCells([L.StackedRNNCells([Leaky(2)]), L.GRUCell(3)])), SERIES),
    ],
    "ReLU": [(lambda: L.ReLU(), ROW), (lambda: L.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2), ROW)],
    "RepeatVector": [(lambda: L.RepeatVector(3), ROW)],
    "Rescaling": [(lambda: L.Rescaling([1.0, 2.0, 3.0, 4.0], offset=1.0), SERIES)],
    "Reshape": [(lambda: L.Reshape((-1, 4)), IMAGE)],
    "Resizing": [
        (lambda: L.Resizing(5, 9, interpolation="nearest"), IMAGE),
        (lambda: L.Resizing(5, 9), IMAGE),
        (lambda: L.Resizing(5, 9, **FIRST), IMAGE),
        (lambda: L.Resizing(5, 9, pad_to_aspect_ratio=True, fill_value=0.5), IMAGE),
        (lambda: L.Resizing(5, 9, "bicubic", crop_to_aspect_ratio=True, antialias=True), IMAGE),
    ],
    "STFTSpectrogram": [
        *((lambda mode=mode: L.STFTSpectrogram(mode, 8, 3), (30, 1)) for mode in ("log", "magnitude", "psd", "angle")),
        (lambda: L.STFTSpectrogram("stft", 8, 3, 16, padding="same"), (30, 2)),
        (lambda: L.STFTSpectrogram("real", 8, padding="same", expand_dims=True), (30, 2)),
        (lambda: L.STFTSpectrogram("imag", 8, expand_dims=True, **FIRST), (2, 30)),
        (lambda: L.STFTSpectrogram("psd", 8, **FIRST), (2, 30)),
    ],
    "SeparableConv1D": [(lambda: L.SeparableConv1D(3, 3, padding="same", depth_multiplier=2), SERIES)],
    "SeparableConv2D": [
        (lambda: L.SeparableConv2D(3, 3, 2, "same", use_bias=False), IMAGE),
        (lambda: L.SeparableConv2D(3, 2, dilation_rate=2, depth_multiplier=2, activation="relu"), IMAGE),
    ],
    "SimpleRNNCell": [(lambda: L.SimpleRNNCell(3), (4,), (3,))],
    "SimpleRNN": [
        (lambda: SimpleRNN(3, return_sequences=True), SERIES),
        (lambda: SimpleRNN(3, tanh), SERIES),
        (lambda: SimpleRNN(3, "gelu", return_sequences=True, return_state=True), SERIES),
        (lambda: SimpleRNN(3, "relu", use_bias=False, go_backwards=True), SERIES, (3,)),
    ],
    "Softmax": [(lambda: L.Softmax(axis=1), SERIES), (lambda: L.Softmax(axis=(1, 2)), SERIES)],
    "SpatialDropout1D": [(lambda: L.SpatialDropout1D(0.5), SERIES)],
    "SpatialDropout2D": [(lambda: L.SpatialDropout2D(0.5), IMAGE)],
    "SpatialDropout3D": [(lambda: L.SpatialDropout3D(0.5), VOLUME)],
    "Squash": [(lambda: Squash(), SERIES)],
    "StackedRNNCells": [(lambda: L.StackedRNNCells([L.GRUCell(3), L.LSTMCell(2)]), (4,), (3,), (2,), (2,))],
    "StringLookup": [
        (lambda: L.StringLookup(vocabulary=["blue", "é", "red"]), WORDS),
        (lambda: L.StringLookup(vocabulary=["blue", "red"], mask_token="none", output_mode="multi_hot"), WORDS),
        (lambda: L.StringLookup(8, vocabulary=["blue", "é"], output_mode="one_hot", pad_to_max_tokens=True), WORDS),
        (lambda: L.StringLookup(vocabulary=["red", "é"], idf_weights=[0.5, 2.0], output_mode="tf_idf"), WORDS),
        (lambda: L.StringLookup(vocabulary=["red", "blue"], mask_token="", invert=True), TOKENS),
    ],
    "Subtract": [(lambda: L.Subtract(), SERIES, SERIES)],
    "TimeDistributed": [
        (lambda: TimeDistributed(Dense(3, activation="relu")), SERIES),
        (lambda: TimeDistributed(L.Conv2D(3, 2)), FILM),
        (lambda: TimeDistributed(LSTM(3)), FILM[:2] + FILM[3:]),
        (lambda: TimeDistributed(Twice()), SERIES),
        (lambda: TimeDistributed(Sequential([L.Conv2D(3, 2), L.Flatten(), Dense(2)])), FILM),
    ],
    "UnitNormalization": [(lambda: L.UnitNormalization(axis=(1, 2)), SERIES)],
    "UpSampling1D": [(lambda: L.UpSampling1D(3), SERIES)],
    "UpSampling2D": [
        (lambda: L.UpSampling2D((2, 3)), IMAGE),
        (lambda: L.UpSampling2D(2, interpolation="bilinear"), IMAGE),
        (lambda: L.UpSampling2D(3, **FIRST), IMAGE),
        (lambda: L.UpSampling2D(2, interpolation="bicubic"), IMAGE),
    ],
    "UpSampling3D": [(lambda: L.UpSampling3D((1, 2, 3)), VOLUME)],
    "ZeroPadding1D": [(lambda: L.ZeroPadding1D((1, 2)), SERIES)],
    "ZeroPadding2D": [(lambda: L.ZeroPadding2D(((1, 2), (0, 3))), IMAGE), (lambda: L.ZeroPadding2D(1, **FIRST), IMAGE)],
    "ZeroPadding3D": [(lambda: L.ZeroPadding3D(1), VOLUME)],
}

RANDOM = [name for name in dir(layers) if name.startswith("Random") and name != "RandomCrop"]
EXPORTED.update(
    (name, [(getattr(L, name), IMAGE[:2] + (3,))]) for name in ("MixUp", "CutMix", "Equalization", "Solarization")
)

# What has no counterpart, and why not.
REFUSED = {
    "hashes of tokens, and text that is taken apart: refused below": ["Hashing", "HashedCrossing", "TextVectorization"],
    "a histogram of each part of a picture": ["ContrastLimitedAdaptiveHistogramEqualization"],
    "a base": ["Layer", "Wrapper"],
    "of random images, in training alone: tested together below": RANDOM,
    "draws: tested below": ["Sampling"],
}


class Twice(L.Layer):
    """A layer of one's own, written with `call`, with a weight and constants."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],))

    def call(self, x):
        chosen = ops.take(ops.tanh(x) * self.scale, ops.convert_to_tensor(np.array([0, 1, 0])), axis=-1)
        return ops.where(ops.convert_to_tensor(np.array([True, False, True])), chosen, 2 * chosen)


def tanh(z):
    """A function of one's own that has the name of another."""
    return z * ops.sigmoid(z) - 0.1


BY_HAND = activations.Activation("relu", lambda z, out=None: 2 * z, lambda dy, y: 2 * dy, "y")


class Strange(L.Layer):
    """A cell whose equations are nobody's but its own."""

    def __init__(self, units):
        super().__init__()
        self.state_size = units

    def compute_output_shape(self, shapes):
        return shapes

    def forward(self, xs, training=False):
        return [xs[0][:, :3], *xs[1:]], None


def model_of(layer, *shapes):
    inputs = [given(shape) for shape in shapes]
    if isinstance(layer, (L.MultiHeadAttention, L.GroupedQueryAttention)):
        return Model(inputs, layer(*inputs))
    if isinstance(layer, (Cell, L.StackedRNNCells)):
        return Model(inputs, flatten(layer(inputs[0], inputs[1:])))
    return Model(inputs, layer(inputs[0] if len(inputs) == 1 else inputs))


def test_what_is_written_is_held_against_onnxruntime_here():
    listed = {*EXPORTED, *(name for names in REFUSED.values() for name in names)}
    assert all(hasattr(layers, name) for name in listed)
    classes = {thing for thing in vars(layers).values() if isinstance(thing, type) and issubclass(thing, L.Layer)}
    assert {cls.__name__ for cls in classes} <= listed


@pytest.mark.parametrize(
    "make, shapes",
    [
        pytest.param(make, shapes, id=f"{name} {k}")
        for name, cases in EXPORTED.items()
        for k, (make, *shapes) in enumerate(cases)
    ],
)
def test_onnxruntime_predicts_the_same(tmp_path, make, shapes):
    check(moved(model_of(make(), *shapes)), str(tmp_path / "m.onnx"), *map(data, shapes))


@pytest.mark.parametrize("options", [{}, {"tie_weights": False, "logit_soft_cap": 2.0}])
def test_an_embedding_is_written_both_ways(tmp_path, options):
    tokens, embedding = Input((6,), dtype="int32"), L.ReversibleEmbedding(10, 3, **options)
    model = Model(tokens, embedding(embedding(tokens), reverse=True))
    check(moved(model), str(tmp_path / "m.onnx"), data(TOKENS))


def test_layers_of_random_images_do_nothing_outside_of_training(tmp_path):
    x = inputs = Input((8, 7, 3))
    arguments = {"RandomPosterization": [4], "RandomTranslation": [0.1, 0.1]}
    arguments.update(dict.fromkeys(("RandomFlip", "RandomColorJitter", "RandomErasing"), []))
    for name in RANDOM:
        x = getattr(L, name)(*arguments.get(name, [0.5]))(x)
    check(Model(inputs, x), str(tmp_path / "m.onnx"), data((8, 7, 3)))


def test_a_picture_of_one_colour_keeps_it(tmp_path):
    inputs, x = Input(IMAGE), data(IMAGE)
    x[1] = 0.5
    check(Model(inputs, L.AutoContrast()(inputs)), str(tmp_path / "m.onnx"), x)


def test_sampling_adds_a_noise_of_the_given_size(tmp_path):
    mean, log_variance = Input(ROW), Input(ROW)
    model = Model([mean, log_variance], L.Sampling()([mean, log_variance]))
    x = data(ROW)
    check(model, str(tmp_path / "m.onnx"), x, np.full_like(x, -60))
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"))
    many = np.zeros((2000, 5), "float32")
    names = [i.name for i in session.get_inputs()]
    (z,) = session.run(None, dict(zip(names, [many + 3, many + 2 * np.log(2).astype("float32")])))
    assert abs(z.mean() - 3) < 0.15 and abs(z.std() - 2) < 0.1


REFUSALS = {
    "Hashing": (lambda x: L.Hashing(3)(x), WORDS, "ONNX can compute no hash"),
    "HashedCrossing": (lambda x: L.HashedCrossing(3)([x[:, :1], x[:, 1:2]]), WORDS, "ONNX can compute no hash"),
    "TextVectorization": (lambda x: L.TextVectorization(vocabulary=["a"])(x[:, :1]), WORDS, "take text apart"),
    "an error": (lambda x: L.IntegerLookup(vocabulary=[1], num_oov_indices=0)(x), TOKENS, "no way to raise"),
    "a hash": (lambda x: L.StringLookup(vocabulary=["a"], num_oov_indices=2)(x), WORDS, "which ONNX cannot compute"),
    "a cell": (lambda x: L.RNN(Strange(3))(x), SERIES, "the cell Strange cannot be written"),
    "training=True": (lambda x: L.Dropout(0.5)(x, training=True), ROW, "it is used with training=True"),
    "several axes": (lambda x: MultiHeadAttention(2, 3)(x, x), (None, 5, 4), "needs inputs of fixed sizes"),
    "sounds": (lambda x: L.STFTSpectrogram("psd", 4)(x), (None, 2), "sounds of any length"),
    "no fixed length": (lambda x: MultiHeadAttention(2, 3)(x, x, use_causal_mask=True), (None, 4), "a fixed length"),
    "adaptive": (lambda x: L.AdaptiveMaxPooling2D(2)(x), (None, None, 3), "fixed sizes only"),
    "images of any size": (lambda x: L.Resizing(4, 4)(x), (None, None, 3), "images of any size"),
    "transposed": (lambda x: L.Conv2DTranspose(2, 3)(x), (None, None, 3), "images of fixed sizes only"),
    "bicubic": (lambda x: L.UpSampling2D(2, interpolation="bicubic")(x), (None, None, 3), "images of any size"),
    "count_weights": (
        lambda x: L.CategoryEncoding(10, "count")(x, count_weights=L.Rescaling(2.0)(x)), TOKENS, "count_weights",
    ),
    "sparsemax": (lambda x: L.Activation("sparsemax")(x), (None, None), "a fixed last axis"),
    "an index that is an array": (lambda x: x[:, np.array([0, 2])], ROW, "an index that is an array|no counterpart"),
    "padding": (lambda x: ops.pad(x, [(0, 0), (1, 1)], mode="symmetric"), ROW, "padding by 'symmetric'"),
    "take": (lambda x: ops.take(x, np.array([0, 2])), ROW, "out of all axes"),
    "repeat": (lambda x: ops.repeat(x, 2), ROW, "one number of repetitions"),
    "steps": (lambda x: TimeDistributed(L.Conv2D(2, 2))(x), (None, None, 5, 3), "several sizes are free"),
    "numbers in a row": (lambda x: L.CategoryEncoding(4)(x), (), "numbers in a row"),
    "an activation of one's own": (lambda x: L.Activation(BY_HAND)(x), ROW, "'relu' is written without"),
    "one_hot": (lambda x: ops.one_hot(ops.argmax(x, axis=1), 5, axis=0), ROW, "only a last axis"),
    "take_along_axis": (
        lambda x: ops.take_along_axis(x, np.zeros((1, 5), int), axis=0), ROW, "for tensors, along an axis",
    ),
    "argmax": (lambda x: ops.argmax(x), ROW, "the place among all numbers"),
    "an operation": (lambda x: ops.erfinv(x), ROW, "it has no counterpart"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_what_has_no_counterpart_is_refused_by_name(tmp_path, name):
    make, shape, problem = REFUSALS[name]
    inputs = given(shape)
    model = Model(inputs, make(inputs))
    with pytest.raises(ValueError, match=f"cannot be exported to ONNX: .*{problem}"):
        model.export(tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


# ---- activations, and sizes that are not fixed ----


def test_every_activation(tmp_path):
    inputs = Input(SERIES)
    known = {name: registry.find("activations", name) for name in registry.names("activations")}
    names = [name for name, found in known.items() if isinstance(found, activations.Activation)]
    named = [L.Activation(name)(inputs) for name in names]
    other = [
        L.Activation(activations.leaky_relu.with_parameters(negative_slope=0.4))(inputs),
        L.Activation(activations.gelu.with_parameters(approximate=True))(inputs),
        L.Activation(activations.log_softmax.with_parameters(axis=1))(inputs),
    ]
    check(Model(inputs, named + other), str(tmp_path / "m.onnx"), data(SERIES))


FREE = {
    "Conv2D": (lambda x: L.Conv2D(3, 3, 2, "same")(x), (None, None, 3), (8, 7, 3)),
    "GlobalAveragePooling2D": (lambda x: L.GlobalAveragePooling2D()(L.Conv2D(3, 3)(x)), (None, None, 3), (8, 7, 3)),
    "LSTM": (lambda x: Dense(2)(LSTM(3, return_sequences=True)(x)), (None, 4), (9, 4)),
    "masked": (lambda x: Bidirectional(LSTM(3, return_sequences=True))(Masking()(x)), (None, 4), (9, 4)),
    "ConvLSTM2D": (lambda x: L.ConvLSTM2D(2, 3)(x), (None, 6, 5, 2), FILM),
    "TimeDistributed": (lambda x: TimeDistributed(Dense(3))(x), (None, 4), (9, 4)),
    "STFTSpectrogram": (lambda x: L.STFTSpectrogram("stft", 4)(x), (None, 1), (30, 1)),
    "MelSpectrogram": (lambda x: L.MelSpectrogram(16, 5, num_mel_bins=4)(x), (None,), (30,)),
    "attention": (lambda x: MultiHeadAttention(2, 3)(x, x), (None, 4), (9, 4)),
    "Reshape": (lambda x: ops.reshape(x, (-1, x.shape[1], 2, 2)), (6, 4), (6, 4)),
}


@pytest.mark.parametrize("name", FREE)
def test_sizes_that_are_not_fixed(tmp_path, name):
    make, shape, fixed = FREE[name]
    inputs = Input(shape)
    check(moved(Model(inputs, make(inputs))), str(tmp_path / "m.onnx"), data(fixed))


def test_attention_with_masks_of_its_own(tmp_path):
    inputs, may = Input(SERIES), Input((6, 6), dtype="bool")
    here = np.tri(6, dtype=bool)[::-1]
    y = MultiHeadAttention(2, 3)(inputs, inputs, attention_mask=may)
    z = MultiHeadAttention(2, 3)(inputs, inputs, attention_mask=here[None])
    causal = Attention()([inputs, inputs], use_causal_mask=True)
    some = RNG.random((3, 6, 6)) < 0.7
    check(moved(Model([inputs, may], [y, z, causal])), str(tmp_path / "m.onnx"), data(SERIES), some)


def test_attention_along_several_axes_with_a_mask_of_its_own(tmp_path):
    inputs, may = Input((3, 4, 5)), Input((3, 4, 3, 4), dtype="bool")
    y, P = MultiHeadAttention(2, 3)(inputs, inputs, attention_mask=may, return_attention_scores=True)
    z = MultiHeadAttention(2, 3)(inputs, inputs, attention_mask=np.eye(12, dtype=bool).reshape(3, 4, 3, 4)[None, None])
    t = MultiHeadAttention(2, 3, attention_axes=2)(inputs, inputs, attention_mask=np.tri(4, dtype=bool)[None])
    some = RNG.random((3, 3, 4, 3, 4)) < 0.3
    some[0, 1, 2] = False  # it may look nowhere
    check(moved(Model([inputs, may], [y, P, z, t])), str(tmp_path / "m.onnx"), data((3, 4, 5)), some)


def test_what_may_look_nowhere_with_dropout(tmp_path):
    inputs, may = Input(SERIES), Input((6, 6), dtype="bool")
    some = RNG.random((3, 6, 6)) < 0.4
    some[:, 2] = False
    y = [MultiHeadAttention(2, 3, dropout=rate)(inputs, inputs, attention_mask=may) for rate in (0.0, 0.3)]
    check(moved(Model([inputs, may], y)), str(tmp_path / "m.onnx"), data(SERIES), some)
