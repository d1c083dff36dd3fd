import numpy as np
from keras.layers import BatchNormalization, Conv3D, ConvLSTM2D, Input
from keras.models import Sequential

rng = np.random.default_rng(9)
movies = rng.random((40, 5, 6, 6, 1)).astype("float32")
shifted = np.roll(movies, -1, axis=1)

seq = Sequential()
seq.add(Input(shape=(None, 6, 6, 1)))
seq.add(ConvLSTM2D(filters=3, kernel_size=(3, 3), padding="same", return_sequences=True))
seq.add(BatchNormalization())
seq.add(ConvLSTM2D(filters=3, kernel_size=(3, 3), padding="same", return_sequences=True))
seq.add(Conv3D(filters=1, kernel_size=(3, 3, 3), activation="sigmoid", padding="same", data_format="channels_last"))
seq.compile(loss="binary_crossentropy", optimizer="adadelta")
history = seq.fit(movies, shifted, batch_size=4, epochs=2, verbose=0)
