import numpy as np
import tensorflow as tf
from tensorflow import keras

rng = np.random.default_rng(21)
codes = rng.random((160, 4)).astype("float32")
images = (1 / (1 + np.exp(-(codes @ rng.normal(size=(4, 64)) * 2)))).astype("float32").reshape(-1, 8, 8)


class DenseTranspose(keras.layers.Layer):
    def __init__(self, dense, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.dense = dense
        self.activation = keras.activations.get(activation)

    def build(self, batch_input_shape):
        self.biases = self.add_weight(name="bias", shape=(self.dense.kernel.shape[0],), initializer="zeros")

    def call(self, inputs):
        z = tf.matmul(inputs, self.dense.kernel, transpose_b=True)
        return self.activation(z + self.biases)


class KLDivergenceRegularizer(keras.regularizers.Regularizer):
    def __init__(self, weight, target):
        self.weight = weight
        self.target = target

    def __call__(self, inputs):
        mean_activities = tf.reduce_mean(inputs, axis=0)
        kl = keras.losses.kullback_leibler_divergence
        return self.weight * (kl(self.target, mean_activities) + kl(1.0 - self.target, 1.0 - mean_activities))


def rounded_accuracy(y_true, y_pred):
    return keras.metrics.binary_accuracy(tf.round(y_true), tf.round(y_pred))


dense_1 = keras.layers.Dense(24, activation="relu")
dense_2 = keras.layers.Dense(
    12, activation="sigmoid", activity_regularizer=KLDivergenceRegularizer(weight=0.05, target=0.1)
)
tied_encoder = keras.models.Sequential([keras.layers.Flatten(input_shape=[8, 8]), dense_1, dense_2])
tied_decoder = keras.models.Sequential(
    [
        keras.Input((12,)),
        DenseTranspose(dense_2, activation="relu"),
        DenseTranspose(dense_1, activation="sigmoid"),
        keras.layers.Reshape([8, 8]),
    ]
)
tied_ae = keras.models.Sequential([tied_encoder, tied_decoder])
tied_ae.compile(
    loss="binary_crossentropy", optimizer=keras.optimizers.SGD(learning_rate=1.5), metrics=[rounded_accuracy]
)
history = tied_ae.fit(images, images, batch_size=16, epochs=3, verbose=0)
assert tied_encoder.predict(images[:2], verbose=0).shape == (2, 12)
