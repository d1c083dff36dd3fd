import keras
import numpy as np
from keras import layers, ops

rng = np.random.default_rng(26)
x = rng.normal(size=(160, 6, 2)).astype("float32")
y = (x.sum(axis=(1, 2), keepdims=True)[:, 0] * 0.3 + 0.1 * rng.normal(size=(160, 1))).astype("float32")


class MinimalRNNCell(keras.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="uniform", name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.units), initializer="uniform", name="recurrent_kernel"
        )

    def call(self, inputs, states):
        output = ops.tanh(ops.matmul(inputs, self.kernel) + ops.matmul(states[0], self.recurrent_kernel))
        return output, [output]


def tilted_loss(q):
    def loss(y_true, y_pred):
        error = y_true - y_pred
        return ops.mean(ops.maximum(q * error, (q - 1) * error), axis=-1)

    return loss


class RootMeanSquaredError(keras.metrics.Metric):
    def __init__(self, name="rmse", **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.samples = self.add_weight(name="samples", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(ops.sum(ops.square(y_true - y_pred)))
        self.samples.assign_add(ops.cast(ops.shape(y_pred)[0], "float32"))

    def result(self):
        return ops.sqrt(self.total / self.samples)


quantiles = [0.1, 0.5, 0.9]
inputs = keras.Input((6, 2))
h = layers.RNN([MinimalRNNCell(8), MinimalRNNCell(6)])(inputs)
outputs = [layers.Dense(1, name=f"q{int(100 * q)}")(h) for q in quantiles]
model = keras.Model(inputs, outputs)
schedule = keras.optimizers.schedules.CosineDecay(0.0, 40, warmup_target=0.02, warmup_steps=5)
model.compile(
    optimizer=keras.optimizers.Adam(schedule, clipnorm=1.0),
    loss=[tilted_loss(q) for q in quantiles],
    loss_weights=[0.3, 0.4, 0.3],
    metrics=[[RootMeanSquaredError()], [RootMeanSquaredError()], [RootMeanSquaredError()]],
)
history = model.fit(x, [y, y, y], batch_size=16, epochs=3, verbose=0)
assert "q50_rmse" in history.history
