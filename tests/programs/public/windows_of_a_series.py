import numpy as np
import tensorflow as tf

rng = np.random.default_rng(25)
time = np.arange(180, dtype="float32")
series = np.sin(time / 5) + 0.1 * rng.normal(size=180)
window_size, batch_size = 19, 16


def windowed_dataset(series):
    ds = tf.data.Dataset.from_tensor_slices(np.expand_dims(series, axis=-1).astype("float32"))
    ds = ds.window(window_size + 1, shift=1, drop_remainder=True)
    ds = ds.flat_map(lambda w: w.batch(window_size + 1))
    ds = ds.map(lambda w: (w[:-1], w[-1:, 0]))
    return ds.batch(batch_size, drop_remainder=True).repeat().prefetch(1)


model = tf.keras.models.Sequential(
    [
        tf.keras.layers.Input((None, 1)),
        tf.keras.layers.Conv1D(8, kernel_size=5, strides=1, padding="causal", activation="relu"),
        tf.keras.layers.LSTM(6, return_sequences=True),
        tf.keras.layers.LSTM(6),
        tf.keras.layers.Dense(8, activation="relu"),
        tf.keras.layers.Dense(1),
        tf.keras.layers.Lambda(lambda x: x * 2.0),
    ]
)
lr_schedule = tf.keras.callbacks.LearningRateScheduler(lambda epoch: 0.05 * 0.8**epoch)
optimizer = tf.keras.optimizers.SGD(learning_rate=0.1, momentum=0.5)
model.compile(loss=tf.keras.losses.Huber(), optimizer=optimizer, metrics=["mae"])
history = model.fit(windowed_dataset(series), epochs=3, callbacks=[lr_schedule], verbose=0, steps_per_epoch=10)
assert history.history["learning_rate"][0] > history.history["learning_rate"][-1]
