import os
import tempfile

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers, ops


@keras.utils.register_keras_serializable(package="adapters")
class LowRankDense(layers.Dense):
    def __init__(self, units, rank=2, notes="", **kwargs):
        super().__init__(units, **kwargs)
        self.rank = rank
        self.notes = notes

    def build(self, input_shape):
        super().build(input_shape)
        self.down = self.add_weight(shape=(input_shape[-1], self.rank), initializer="he_normal", name="down")
        self.up = self.add_weight(shape=(self.rank, self.units), initializer="zeros", name="up")
        self.strength = self.add_weight(shape=(), initializer="ones", trainable=False, name="strength")

    def call(self, inputs):
        return super().call(inputs) + self.strength * ops.matmul(ops.matmul(inputs, self.down), self.up)

    def get_config(self):
        return {**super().get_config(), "rank": self.rank}

    def save_own_variables(self, store):
        for name in ("kernel", "bias", "down", "up", "strength"):
            store[name] = getattr(self, name).numpy()

    def load_own_variables(self, store):
        for name in ("kernel", "bias", "down", "up", "strength"):
            getattr(self, name).assign(store[name])

    def save_assets(self, inner_path):
        with open(os.path.join(inner_path, "notes.txt"), "w") as file:
            file.write(self.notes)

    def load_assets(self, inner_path):
        with open(os.path.join(inner_path, "notes.txt")) as file:
            self.notes = file.read()


rng = np.random.default_rng(5)
x_train = rng.normal(size=(64, 6)).astype("float32")
y_train = np.tanh(x_train @ rng.normal(size=(6, 3))).astype("float32")

inputs = keras.Input(shape=(6,))
x = LowRankDense(8, activation="linear", notes="from the first layer", name="first")(inputs)
x = layers.Activation("tanh")(x)
outputs = LowRankDense(3, rank=1, name="second")(x)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
history = model.fit(x_train, y_train, batch_size=16, epochs=5, shuffle=False, verbose=0)

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "adapted.keras")
    model.save(path)
    again = keras.models.load_model(path)
assert again.get_layer("first").notes == "from the first layer"
np.testing.assert_allclose(np.asarray(again(x_train)), np.asarray(model(x_train)), atol=1e-6)
