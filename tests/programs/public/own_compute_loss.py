import keras
import numpy as np
from keras import layers, ops

rng = np.random.default_rng(24)
codes = rng.normal(size=(160, 3)).astype("float32")
x_train = np.tanh(codes @ rng.normal(size=(3, 10))).astype("float32")


class ContractiveOnPairs(keras.Model):
    """Reconstructs, and keeps neighbours in the data neighbours in the code."""

    def __init__(self, weight=0.1, **kwargs):
        super().__init__(**kwargs)
        self.weight = weight
        self.encoder = keras.Sequential([keras.Input((10,)), layers.Dense(8, activation="tanh"), layers.Dense(3)])
        self.decoder = keras.Sequential([keras.Input((3,)), layers.Dense(8, activation="tanh"), layers.Dense(10)])
        self.neighbours = keras.metrics.Mean(name="neighbours")

    def call(self, inputs):
        code = self.encoder(inputs)
        return [self.decoder(code), code]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        reconstruction, code = y_pred
        between = ops.sum(ops.square(code[1:] - code[:-1]), axis=-1)
        wanted = ops.sum(ops.square(x[1:] - x[:-1]), axis=-1)
        distance = ops.mean(ops.abs(between - wanted))
        self.neighbours.update_state(distance)
        return ops.mean(ops.square(x - reconstruction)) + self.weight * distance

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        figures = super().compute_metrics(x, y, y_pred, sample_weight)
        return {**figures, "spread": ops.std(y_pred[1])}


model = ContractiveOnPairs()
model.compile(optimizer=keras.optimizers.Adam(0.01))
history = model.fit(x_train, batch_size=16, epochs=3, verbose=0)
assert {"loss", "neighbours", "spread"} <= set(history.history)
