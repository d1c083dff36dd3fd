"""The networks of samples/torch_models.zip in our layers; see samples/make_torch_models.py."""

import io
import pathlib
import zipfile

import numpy as np

from scratchnet.layers import (
    ELU,
    GRU,
    LSTM,
    Activation,
    Add,
    AveragePooling1D,
    BatchNormalization,
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePooling2D,
    GroupNormalization,
    Input,
    LayerNormalization,
    LeakyReLU,
    MaxPooling2D,
    MultiHeadAttention,
    Multiply,
    Permute,
    PReLU,
    ReLU,
    Reshape,
    SeparableConv2D,
    SimpleRNN,
    Softmax,
)
from scratchnet.models import Model, Sequential

ARCHIVE = pathlib.Path(__file__).parent / "samples" / "torch_models.zip"


def content(name):
    with zipfile.ZipFile(ARCHIVE) as archive:
        return archive.read(name)


def extract(name, folder):
    path = folder / name
    path.write_bytes(content(name))
    return path


def data(name):
    """``(x, y)`` of a network, channels last."""
    with np.load(io.BytesIO(content(f"{name}.npz"))) as file:
        x, y = file["x"], file["y"]
    if name not in SEQUENCES:
        x, y = (np.moveaxis(array, 1, -1) if array.ndim > 2 else array for array in (x, y))
    return x, y


SEQUENCES = ("rnn", "lstm", "gru", "gru_without_bias", "both_ways", "attention")


def flattened():
    return [
        *[Input((6, 5, 2)), Conv2D(4, 3), LeakyReLU(0.2), MaxPooling2D(2), Dropout(0.5), Flatten()],
        *[BatchNormalization(epsilon=1e-5), Dense(3)],
    ]


def flattened_in_pytorchs_order():
    """The other way to write the same: nothing has to change places."""
    return [
        *[Input((6, 5, 2)), Conv2D(4, 3), LeakyReLU(0.2), MaxPooling2D(2), Permute((3, 1, 2)), Flatten()],
        *[BatchNormalization(epsilon=1e-5), Dense(3)],
    ]


def grouped():
    return [
        *[Input((6, 5, 2)), DepthwiseConv2D(3, depth_multiplier=2, use_bias=False), BatchNormalization(epsilon=1e-5)],
        *[ReLU(6.0), DepthwiseConv2D((2, 1), depth_multiplier=2), PReLU(shared_axes=[1, 2]), GlobalAveragePooling2D()],
        Dense(2),
    ]


def grouped_convolutions():
    return [
        *[Input((6, 5, 2)), Conv2D(4, 3, groups=2, use_bias=False), BatchNormalization(epsilon=1e-5), ReLU(6.0)],
        *[Conv2D(8, (2, 1), groups=4), PReLU(shared_axes=[1, 2]), GlobalAveragePooling2D(), Dense(2)],
    ]


def separable():
    return [
        *[Input((6, 5, 2)), SeparableConv2D(3, 3, depth_multiplier=2), GroupNormalization(1, epsilon=1e-5)],
        LayerNormalization(axis=[1, 2, 3], epsilon=1e-5),
    ]


def line():
    return [
        *[Input((9, 2)), Conv1D(4, 3, dilation_rate=2, activation="tanh"), AveragePooling1D(2), Flatten(), Dense(3)],
        Softmax(),
    ]


def line_up():
    return [Input((5, 3)), Conv1DTranspose(2, 3, strides=2), ELU(), Conv1D(2, 2)]


def volume():
    return [Input((4, 4, 4, 1)), Conv3D(3, 2, activation="gelu"), Flatten(), Dense(2)]


def decoder():
    return [
        *[Input((3,)), Dense(24), BatchNormalization(epsilon=1e-5), Activation("relu"), Reshape((2, 3, 4))],
        *[Conv2DTranspose(3, 3, strides=2, activation="relu"), Conv2D(1, 1, activation="sigmoid")],
    ]


def decoder_in_pytorchs_order():
    return [
        *[Input((3,)), Dense(24), BatchNormalization(epsilon=1e-5), Activation("relu"), Reshape((4, 2, 3))],
        Permute((2, 3, 1)),
        *[Conv2DTranspose(3, 3, strides=2, activation="relu"), Conv2D(1, 1, activation="sigmoid")],
    ]


def rnn():
    return [Input((4, 3)), SimpleRNN(4), Dense(2)]


def lstm():
    return [Input((4, 3)), LSTM(4, return_sequences=True), LSTM(4), Dense(2)]


def gru():
    return [Input((4, 3)), GRU(4), Dense(2)]


def gru_without_bias():
    return [Input((4, 3)), GRU(4, use_bias=False), Dense(2)]


def branches(named=True):
    left, right, head = (
        Dense(size, name=name if named else None) for name, size in {"left": 4, "right": 4, "head": 2}.items()
    )
    x = Input((3,))
    a = left(x)
    b = Activation("sigmoid")(right(x))
    return Model(x, head(Add()([Multiply()([Activation("relu")(a), b]), a])))


def attention():
    x = Input((5,), dtype="int32")
    y = LayerNormalization(epsilon=1e-5)(Embedding(9, 6)(x))
    return Model(x, Dense(3)(Add()([y, MultiHeadAttention(2, 3)(y, y)])))


TWINS = {
    function.__name__: function
    for function in (
        *(flattened, grouped, separable, line, line_up, volume, decoder, rnn, lstm, gru, gru_without_bias, branches),
        attention,
    )
}
OTHER_TWINS = {
    "flattened": flattened_in_pytorchs_order,
    "grouped": grouped_convolutions,
    "decoder": decoder_in_pytorchs_order,
}


def built(twin):
    made = twin()
    return made if isinstance(made, Model) else Sequential(made)
