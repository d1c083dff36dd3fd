import keras
import numpy as np
from keras import layers, ops

rng = np.random.default_rng(10)
x_train = rng.random((160, 7)).astype("float32")
pairs = np.stack([x_train, x_train[rng.permutation(160)]], axis=1)
labels = (np.abs(pairs[:, 0, 0] - pairs[:, 1, 0]) < 0.3).astype("float32")


def euclidean_distance(vects):
    x, y = vects
    sum_square = ops.sum(ops.square(x - y), axis=1, keepdims=True)
    return ops.sqrt(ops.maximum(sum_square, keras.backend.epsilon()))


def contrastive_loss(margin=1):
    def loss(y_true, y_pred):
        square_pred = ops.square(y_pred)
        margin_square = ops.square(ops.maximum(margin - y_pred, 0))
        return ops.mean((1 - y_true) * square_pred + y_true * margin_square)

    return loss


inputs = keras.Input((7,))
x = layers.Dense(8, activation="tanh")(inputs)
embedding_network = keras.Model(inputs, layers.Dense(4, activation="tanh")(x))
input_1, input_2 = keras.Input((7,)), keras.Input((7,))
merge_layer = layers.Lambda(euclidean_distance, output_shape=(1,))(
    [embedding_network(input_1), embedding_network(input_2)]
)
siamese = keras.Model([input_1, input_2], layers.Dense(1, activation="sigmoid")(merge_layer))
siamese.compile(loss=contrastive_loss(margin=1), optimizer="RMSprop", metrics=["accuracy"])
history = siamese.fit([pairs[:, 0], pairs[:, 1]], labels, batch_size=16, epochs=3, verbose=0)
