import numpy as np
from tensorflow import keras
from tensorflow.keras import layers
from tensorflow.keras.preprocessing.sequence import pad_sequences

max_features, maxlen = 30, 10
rng = np.random.default_rng(3)
texts = [rng.integers(1, max_features, rng.integers(3, 14)).tolist() for _ in range(96)]
y_train = np.array([int(max(text) > 25) for text in texts])
x_train = pad_sequences(texts, maxlen=maxlen)

inputs = keras.Input(shape=(None,), dtype="int32")
x = layers.Embedding(max_features, 6, mask_zero=True)(inputs)
x = layers.Bidirectional(layers.LSTM(5, return_sequences=True))(x)
x = layers.Bidirectional(layers.LSTM(5))(x)
outputs = layers.Dense(1, activation="sigmoid")(x)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.SGD(0.1), loss="binary_crossentropy", metrics=["accuracy"])
history = model.fit(x_train, y_train, batch_size=8, epochs=2, validation_data=(x_train, y_train), verbose=0)
