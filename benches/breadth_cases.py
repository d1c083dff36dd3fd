"""Small models, each around one layer, activation, loss or optimizer, that Keras and scratchnet train alike.

`cases(K)` gives for a library ``{name: Case}``; the names begin with the room of the library.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

RATE = 1e-3  # of optimizers that are named: Keras's own is too large for some of these models


class Case(NamedTuple):
    x: tuple  # (samples, ...)
    layers: Callable  # () -> the layers behind the input, or a function of the input tensor
    batch: int = 32
    loss: str = "mse"
    optimizer: Any = "sgd"
    targets: tuple = (1,)  # the shape of a sample's
    tokens: int = 0  # inputs are integers below this, if it is not 0


def data(case):
    """``(x, y)`` of a case, the same whenever it is asked for."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, case.tokens, case.x).astype("int32") if case.tokens else _normal(rng, case.x)
    y = rng.random((case.x[0], *case.targets), dtype="float32")
    return x, y


def _normal(rng, shape):
    return rng.standard_normal(shape, dtype="float32")


def build(K, case):
    """The compiled model."""
    x = K.layers.Input(case.x[1:], dtype="int32") if case.tokens else K.layers.Input(case.x[1:])
    made = case.layers()
    if isinstance(made, list):
        model = K.Sequential([x, *made])
    else:
        model = K.Model(x, made(x))
    model.compile(optimizer=case.optimizer, loss=case.loss)
    return model


def cases(K):
    """All of them, for Keras or scratchnet."""
    L = K.layers
    found = {}

    def pictures(name, size, channels, *layers, samples=64, batch=32):
        end = [L.GlobalAveragePooling2D, lambda: L.Dense(1)]
        found[name] = Case((samples, size, size, channels), lambda: [f() for f in (*layers, *end)], batch)

    def behind_pixels(name, layer, size=56):
        pictures(name, size, 16, lambda: L.Conv2D(16, 1), layer)

    def sequences(name, steps, features, *layers, samples=128, batch=32, pooled=True):
        end = [L.GlobalAveragePooling1D] if pooled else []
        end.append(lambda: L.Dense(1))
        found[name] = Case((samples, steps, features), lambda: [f() for f in (*layers, *end)], batch)

    _convolutions(L, pictures, sequences)
    for function in ("relu", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus", "softsign"):
        behind_pixels(f"activations: {function}", lambda f=function: L.Activation(f))
    for function in ("sigmoid", "tanh", "softmax", "hard_sigmoid", "hard_silu", "log_sigmoid", "exponential"):
        behind_pixels(f"activations: {function}", lambda f=function: L.Activation(f))
    _regularization_and_pooling(L, behind_pixels, pictures)
    _recurrent(L, sequences, found)
    _attention(L, found)
    _training(K, found)
    return found


def _convolutions(L, pictures, sequences):
    for size, channels in ((56, 64), (14, 256), (7, 512)):
        pictures(
            f"convolutional: Conv2D {channels} at {size} x {size}",
            *(size, channels, lambda c=channels: L.Conv2D(c, 3, padding="same")),
            **{"samples": 32, "batch": 16},
        )
    pictures("convolutional: Conv2D, strides 2", 56, 64, lambda: L.Conv2D(64, 3, 2, padding="same"), samples=32)
    pictures("convolutional: Conv2D, 7 x 7", 112, 3, lambda: L.Conv2D(64, 7, 2, padding="same"), samples=32)
    pictures("convolutional: Conv2D, dilated", 28, 64, lambda: L.Conv2D(64, 3, dilation_rate=2), samples=32)
    pictures("convolutional: DepthwiseConv2D", 56, 64, lambda: L.DepthwiseConv2D(3, padding="same"))
    pictures("convolutional: Conv2DTranspose", 14, 64, lambda: L.Conv2DTranspose(64, 4, 2, padding="same"))
    sequences("convolutional: Conv1D", 256, 64, lambda: L.Conv1D(64, 5, padding="causal"))
    sequences("convolutional: SeparableConv1D", 256, 64, lambda: L.SeparableConv1D(64, 5, padding="same"))


def _regularization_and_pooling(L, behind_pixels, pictures):
    for layer in ("Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout"):
        behind_pixels(f"regularization: {layer}", lambda layer=layer: getattr(L, layer)(0.5))
    behind_pixels("pooling: MaxPooling2D", L.MaxPooling2D)
    behind_pixels("pooling: MaxPooling2D, 3 x 3", lambda: L.MaxPooling2D(3, 1, padding="same"))
    behind_pixels("pooling: AveragePooling2D", lambda: L.AveragePooling2D(2))
    behind_pixels("reshaping: UpSampling2D, bilinear", lambda: L.UpSampling2D(interpolation="bilinear"), 28)
    behind_pixels("normalization: UnitNormalization", L.UnitNormalization)
    pictures("normalization: BatchNormalization", 56, 64, L.BatchNormalization)
    pictures("normalization: LayerNormalization", 28, 64, L.LayerNormalization)
    pictures("normalization: GroupNormalization", 28, 64, lambda: L.GroupNormalization(8))


def _recurrent(L, sequences, found):
    for layer in ("SimpleRNN", "LSTM", "GRU"):
        of_units = getattr(L, layer)
        for units, steps in ((64, 28), (256, 64)):
            sequences(f"rnn: {layer} {units}", steps, units, lambda f=of_units, u=units: f(u), pooled=False)
        sequences(
            f"rnn: {layer}, dropout",
            *(64, 64, lambda f=of_units: f(64, dropout=0.2, recurrent_dropout=0.2)),
            pooled=False,
        )
        cell = getattr(L, f"{layer}Cell")
        sequences(f"rnn: RNN of {layer}Cell", 32, 64, lambda f=cell: L.RNN(f(64)), pooled=False)
    sequences("rnn: RNN of two cells", 32, 64, lambda: L.RNN([L.LSTMCell(64), L.GRUCell(64)]), pooled=False)
    found["rnn: LSTM behind a mask"] = Case(
        (128, 64), lambda: [L.Embedding(1000, 64, mask_zero=True), L.LSTM(64), L.Dense(1)], tokens=1000
    )


def _attention(L, found):
    for steps in (64, 512):

        def attending(x):
            h = L.MultiHeadAttention(4, 32)(x, x)
            return L.Dense(1)(L.GlobalAveragePooling1D()(h))

        found[f"attention: MultiHeadAttention, {steps} steps"] = Case((16, steps, 128), lambda f=attending: f, 8)
    for layer in ("Attention", "AdditiveAttention"):

        def looking_up(x, layer=layer):
            h = L.Dense(64)(x)
            return L.Dense(1)(L.GlobalAveragePooling1D()(getattr(L, layer)()([h, h])))

        found[f"attention: {layer}"] = Case((128, 64, 64), lambda f=looking_up: f)
    for layer in ("Add", "Multiply", "Maximum"):

        def merging(x, layer=layer):
            h = getattr(L, layer)()([L.Conv2D(16, 1)(x), L.Conv2D(16, 1)(x)])
            return L.Dense(1)(L.GlobalAveragePooling2D()(h))

        found[f"merging: {layer}"] = Case((64, 56, 56, 16), lambda f=merging: f)
    pooled = lambda words, D: [L.Embedding(words, D), L.GlobalAveragePooling1D(), L.Dense(1)]  # noqa: E731
    found["core: Embedding of 20,000"] = Case((512, 128), lambda: pooled(20_000, 128), 64, tokens=20_000)
    found["core: EinsumDense"] = Case(
        (128, 64, 128),
        lambda: [L.EinsumDense("abc,cd->abd", (None, 128), bias_axes="d"), L.GlobalAveragePooling1D(), L.Dense(1)],
    )


def _training(K, found):
    L = K.layers
    wide = lambda: [L.Dense(2048, activation="relu"), L.Dense(1024), L.Dense(1)]  # noqa: E731
    for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam", "Lion", "Adafactor"):
        found[f"optimizers: {name}"] = Case((512, 1024), wide, 64, optimizer=getattr(K.optimizers, name)(RATE))
    found["optimizers: Adam, clipnorm"] = Case(
        (512, 512), lambda: [L.Dense(1024), L.Dense(1)], 64, optimizer=K.optimizers.Adam(RATE, clipnorm=1.0)
    )
    of_losses = ("mse", "mae", "huber", "log_cosh", "msle", "mape", "poisson", "hinge", "kl_divergence")
    for name in (*of_losses, "cosine_similarity", "binary_crossentropy", "binary_focal_crossentropy"):
        found[f"losses: {name}"] = Case(
            (512, 64), lambda: [L.Dense(4096, activation="sigmoid")], 64, name, targets=(4096,)
        )
