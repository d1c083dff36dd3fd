import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(2)
series = np.sin(np.arange(260) * 0.3)[:, None] + 0.05 * rng.normal(size=(260, 1))
series = (series - series.mean()) / series.std()
TIME_STEPS = 12

windows = keras.utils.timeseries_dataset_from_array(series, None, sequence_length=TIME_STEPS, batch_size=8)
pairs = [(np.array(batch), np.array(batch)) for batch in windows]


def pair_generator():
    while True:
        yield from pairs


model = keras.Sequential(
    [
        layers.Input(shape=(TIME_STEPS, 1)),
        layers.LSTM(8),
        layers.RepeatVector(TIME_STEPS),
        layers.LSTM(8, return_sequences=True),
        layers.TimeDistributed(layers.Dense(1)),
    ]
)
model.compile(optimizer="adam", loss="mae")
history = model.fit(pair_generator(), steps_per_epoch=len(pairs), epochs=1, verbose=0)
x = np.concatenate([x for x, _ in pairs])
errors = np.mean(np.abs(model.predict(x, verbose=0) - x), axis=(1, 2))
anomalies = errors > errors.mean() + 3 * errors.std()
