"""A program without mistakes: mypy has nothing to say of it, and it runs."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import scratchnet
from scratchnet import Input, Model, Sequential
from scratchnet.callbacks import Callback, EarlyStopping, History, ModelCheckpoint
from scratchnet.initializers import HeNormal
from scratchnet.layers import LSTM, Conv2D, Dense, Dropout, Flatten, Layer, MaxPooling2D
from scratchnet.losses import Loss, MeanSquaredError
from scratchnet.metrics import MeanAbsoluteError
from scratchnet.models import load_model
from scratchnet.optimizers import SGD, Adam
from scratchnet.optimizers.schedules import ExponentialDecay
from scratchnet.utils import set_random_seed, to_categorical

set_random_seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(32, 3)).astype("float32")
y = x.sum(axis=1, keepdims=True)


class Scale(Layer):
    """A layer of one's own."""

    def build(self, input_shape):
        self.add_weight("scale", input_shape[-1:], "ones")

    def forward(self, x, training=False):
        return x * self.params["scale"], x

    def backward(self, dy, cache, needs_dx=True):
        return dy * self.params["scale"], {"scale": (dy * cache).sum(axis=0)}


class Count(Callback):
    """A callback of one's own."""

    def __init__(self) -> None:
        self.epochs = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epochs += 1


class HalfSquare(Loss):
    """A loss of one's own."""

    def values(self, y_true, y_pred):
        return np.square(y_pred - y_true).mean(axis=-1) / 2, y_pred - y_true

    def gradient(self, dvalues, cache):
        return cache / cache.shape[-1] * dvalues


model = Sequential([Input((3,)), Scale(), Dense(4, activation="tanh", kernel_initializer=HeNormal()), Dense(1)])
model.compile(optimizer=Adam(1e-2), loss=MeanSquaredError(), metrics=["mae", MeanAbsoluteError(name="again")])
count = Count()
history = model.fit(x, y, batch_size=8, epochs=2, verbose=0, validation_split=0.25, callbacks=[count, EarlyStopping()])
losses: list[float] = history.history["loss"]
assert isinstance(history, History) and count.epochs == len(losses)
figures: dict[str, float] = model.evaluate(x, y, verbose=0, return_dict=True)
predicted: np.ndarray = model.predict(x, verbose=0)
weights: list[np.ndarray] = model.get_weights()
model.set_weights(weights)
kernel: np.ndarray = model.layers[0].params["scale"]
print(f"{model.count_params():d}", figures["loss"], predicted.shape, kernel.shape)

image = Input((8, 8, 1))
h = Conv2D(4, (3, 3), padding="same", activation="relu")(image)
h = Dropout(0.5)(MaxPooling2D()(h))
cnn = Model(inputs=image, outputs=Dense(3, activation="softmax")(Flatten()(h)), name="cnn")
schedule = ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)
cnn.compile(SGD(schedule, momentum=0.9), loss="categorical_crossentropy", metrics=["accuracy"])
images, classes = rng.normal(size=(16, 8, 8, 1)), to_categorical(rng.integers(0, 3, 16), 3)
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "best.npz")
    cnn.fit(images, classes, verbose=0, callbacks=[ModelCheckpoint(path, monitor="loss", save_best_only=True)])
    cnn.save(path)
    again = load_model(path)
assert np.allclose(again.predict(images, verbose=0), cnn.predict(images, verbose=0))
cnn.summary(print_fn=lambda line: None)
written: str = cnn.explain(images, classes, path=Path(tempfile.gettempdir(), "explained.html"), samples=2, check=False)
Path(written).unlink()
code = cnn.get_layer("cnn") if False else cnn.layers[-1]
rnn = Sequential([Input((5, 2)), LSTM(3, return_sequences=True), LSTM(2)])
rnn.compile(optimizer="adam", loss=HalfSquare())
rnn.train_on_batch(np.zeros((4, 5, 2)), np.zeros((4, 2)))
print(scratchnet.__version__, code.name)
