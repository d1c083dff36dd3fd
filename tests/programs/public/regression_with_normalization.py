import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

rng = np.random.default_rng(12)
train_features = rng.normal(loc=[3, -50, 200], scale=[1, 20, 70], size=(100, 3))
train_labels = train_features @ [2.0, 0.1, -0.02] + 1

normalizer = layers.Normalization(axis=-1)
normalizer.adapt(np.array(train_features))
model = keras.Sequential(
    [
        normalizer,
        layers.Dense(8, activation="relu"),
        layers.Dense(8, activation="relu", kernel_regularizer=keras.regularizers.l2(0.001)),
        layers.Dense(1),
    ]
)
model.compile(loss="mean_absolute_error", optimizer=tf.keras.optimizers.Adam(0.01), metrics=["mse"])
history = model.fit(train_features, train_labels, validation_split=0.2, verbose=0, epochs=3, batch_size=10)
predictions = model.predict(train_features, verbose=0).flatten()
