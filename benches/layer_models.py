"""Small models of two or three layers for every kind of layer that the mission's seven do not have.

As in `missions`: layers, or a model, by ``build(library)``, for Keras and for scratchnet alike; loss, batch size, data.
"""

import numpy as np
from missions import MISSIONS, digits


def gru_classifier(K):
    L = K.layers
    return [L.Input((28, 28)), L.GRU(128), L.Dense(10, activation="softmax")]


def batch_normalization_network(K):
    L = K.layers
    return [
        L.Input((28, 28, 1)),
        *[L.Conv2D(32, 3, padding="same", use_bias=False), L.BatchNormalization(), L.ReLU(), L.MaxPooling2D()],
        *[L.Conv2D(32, 3, padding="same", use_bias=False), L.BatchNormalization(), L.ReLU()],
        L.GlobalAveragePooling2D(),
        L.Dense(10, activation="softmax"),
    ]


def layer_normalization_network(K):
    L = K.layers
    return [
        L.Input((784,)),
        *[L.Dense(256, activation="relu"), L.LayerNormalization()],
        *[L.Dense(256, activation="relu"), L.LayerNormalization()],
        L.Dense(10, activation="softmax"),
    ]


def conv1d_classifier(K):
    L = K.layers
    return [
        L.Input((28, 28)),
        L.Conv1D(64, 5, padding="same", activation="relu"),
        L.Conv1D(64, 5, padding="same", activation="relu"),
        L.GlobalMaxPooling1D(),
        L.Dense(10, activation="softmax"),
    ]


def transposed_convolution_autoencoder(K):
    L = K.layers
    return [
        L.Input((28, 28, 1)),
        L.Conv2D(16, 3, padding="same", activation="relu"),
        L.MaxPooling2D(),
        L.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu"),
        L.Conv2D(1, 3, padding="same", activation="sigmoid"),
    ]


def depthwise_classifier(K):
    L = K.layers
    return [
        L.Input((28, 28, 1)),
        L.Conv2D(32, 3, padding="same", activation="relu"),
        L.DepthwiseConv2D(3, padding="same", activation="relu"),
        L.Conv2D(32, 1, activation="relu"),
        L.GlobalAveragePooling2D(),
        L.Dense(10, activation="softmax"),
    ]


def separable_classifier(K):
    L = K.layers
    return [
        L.Input((28, 28, 1)),
        L.Conv2D(32, 3, padding="same", activation="relu"),
        L.MaxPooling2D(),
        L.SeparableConv2D(64, 3, padding="same", activation="relu"),
        L.GlobalAveragePooling2D(),
        L.Dense(10, activation="softmax"),
    ]


def bidirectional_classifier(K):
    L = K.layers
    return [
        L.Input((98,), dtype="int32"),
        L.Embedding(64, 32),
        L.Bidirectional(L.LSTM(32)),
        L.Dense(10, activation="softmax"),
    ]


def transformer_block(K):
    L = K.layers
    x = L.Input((28, 28))
    h = L.Dense(64)(x)
    h = L.LayerNormalization()(L.Add()([h, L.MultiHeadAttention(4, 16)(h, h)]))
    h = L.LayerNormalization()(L.Add()([h, L.Dense(64)(L.Dense(128, activation="relu")(h))]))
    return K.Model(x, L.Dense(10, activation="softmax")(L.GlobalAveragePooling1D()(h)))


def convolutional_lstm(K):
    L = K.layers
    return [
        L.Input((4, 14, 14, 1)),
        L.ConvLSTM2D(16, 3, padding="same"),
        L.GlobalAveragePooling2D(),
        L.Dense(10, activation="softmax"),
    ]


def capsule_network(K):
    L = K.layers
    own = [L.PrimaryCapsules(8, 8, 5, strides=2), L.CapsuleLayer(10, 16), L.Length()] if _has_capsules(K) else None
    return [
        L.Input((28, 28, 1)),
        L.Conv2D(32, 5, strides=2, activation="relu"),
        *(own or [L.Conv2D(64, 5, strides=2), *_capsules_of_operations(K, 8, 10, 16)]),
    ]


def _has_capsules(K):
    return hasattr(K.layers, "CapsuleLayer")


def _capsules_of_operations(K, dim_below, count, dim, routings=3):
    """The capsules of `capsule_network` as a Keras user writes them, in three layers behind a convolution."""
    ops = K.ops

    def squash(s):
        square = ops.sum(ops.square(s), axis=-1, keepdims=True)
        return s * ops.sqrt(square + 1e-12) / (1 + square)

    class Primary(K.layers.Layer):
        def call(self, z):
            return squash(ops.reshape(z, (-1, z.shape[1] * z.shape[2] * z.shape[3] // dim_below, dim_below)))

    class Routed(K.layers.Layer):
        def build(self, shape):
            self.kernel = self.add_weight(shape=(*shape[1:], count, dim), name="kernel")

        def call(self, u):
            u_hat = ops.einsum("nik,ikjd->nijd", u, self.kernel)
            held = ops.stop_gradient(u_hat)
            b = ops.zeros_like(held[..., 0])
            for _ in range(routings - 1):
                v = squash(ops.einsum("nij,nijd->njd", ops.softmax(b, axis=-1), held))
                b = b + ops.einsum("nijd,njd->nij", held, v)
            return squash(ops.einsum("nij,nijd->njd", ops.softmax(b, axis=-1), u_hat))

    class Lengths(K.layers.Layer):
        def call(self, v):
            return ops.sqrt(ops.sum(ops.square(v), axis=-1) + 1e-12)

    return [Primary(), Routed(), Lengths()]


def _with_shape(*shape):
    def data(count):
        x, y = digits(count)
        return x.reshape(count, *shape), y

    return data


def _quarters(count):
    """A digit as a sequence of its four quarters."""
    x, y = digits(count)
    return np.ascontiguousarray(x.reshape(count, 2, 14, 2, 14).swapaxes(2, 3)).reshape(count, 4, 14, 14, 1), y


def _tokens(count):
    """Every eighth pixel as one of 64 words."""
    x, y = digits(count)
    return (x.reshape(count, -1)[:, ::8] * 63).astype("int32"), y


def _one_hot(count):
    x, y = digits(count)
    return x[..., None], np.eye(10, dtype="float32")[y]


_CLASSES = "sparse_categorical_crossentropy"
LAYERS = {
    "GRU": (gru_classifier, _CLASSES, 128, digits),
    "BatchNormalization": (batch_normalization_network, _CLASSES, 128, _with_shape(28, 28, 1)),
    "LayerNormalization": (layer_normalization_network, _CLASSES, 128, _with_shape(784)),
    "Conv1D": (conv1d_classifier, _CLASSES, 128, digits),
    "Conv2DTranspose": (
        transposed_convolution_autoencoder,
        "binary_crossentropy",
        128,
        lambda n: (digits(n)[0][..., None],) * 2,
    ),
    "DepthwiseConv2D": (depthwise_classifier, _CLASSES, 128, _with_shape(28, 28, 1)),
    "SeparableConv2D": (separable_classifier, _CLASSES, 128, _with_shape(28, 28, 1)),
    "Embedding, Bidirectional": (bidirectional_classifier, _CLASSES, 128, _tokens),
    "MultiHeadAttention": (transformer_block, _CLASSES, 128, digits),
    "ConvLSTM2D": (convolutional_lstm, _CLASSES, 128, _quarters),
    "CapsuleLayer": (capsule_network, "mse", 128, _one_hot),
}
MODELS = {**MISSIONS, **LAYERS}
