import numpy as np
from tensorflow.keras import layers
from tensorflow.keras.models import Model

rng = np.random.default_rng(1)
x_train = rng.random((80, 8, 8, 1)).astype("float32")
noisy = np.clip(x_train + 0.3 * rng.normal(size=x_train.shape), 0.0, 1.0)

inputs = layers.Input(shape=(8, 8, 1))
x = layers.Conv2D(4, (3, 3), activation="relu", padding="same")(inputs)
x = layers.MaxPooling2D((2, 2), padding="same")(x)
x = layers.Conv2D(4, (3, 3), activation="relu", padding="same")(x)
x = layers.MaxPooling2D((2, 2), padding="same")(x)
x = layers.Conv2DTranspose(4, (3, 3), strides=2, activation="relu", padding="same")(x)
x = layers.Conv2DTranspose(4, (3, 3), strides=2, activation="relu", padding="same")(x)
outputs = layers.Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x)

autoencoder = Model(inputs, outputs)
autoencoder.compile(optimizer="adam", loss="binary_crossentropy")
history = autoencoder.fit(noisy, x_train, epochs=2, batch_size=8, validation_data=(noisy, x_train), verbose=0)
denoised = autoencoder.predict(noisy[:3], verbose=0)
