import numpy as np
from tensorflow.keras.callbacks import ReduceLROnPlateau
from tensorflow.keras.datasets import cifar10
from tensorflow.keras.layers import LSTM, Dense, Input, RepeatVector, TimeDistributed
from tensorflow.keras.models import Model
from tensorflow.keras.utils import set_random_seed

set_random_seed(6)
(x_train, _), (x_test, _) = cifar10.load_data()
x_train = x_train.astype("float32").reshape(-1, 32, 96) / 255
x_test = x_test.astype("float32").reshape(-1, 32, 96) / 255

inputs = Input(shape=(32, 96))
encoded = LSTM(16)(inputs)
decoded = RepeatVector(32)(encoded)
decoded = LSTM(16, return_sequences=True)(decoded)
outputs = TimeDistributed(Dense(96))(decoded)
model = Model(inputs=inputs, outputs=outputs)
encoder = Model(inputs, encoded)
model.compile(optimizer="adam", loss="mse")
model.summary()
history = model.fit(
    x_train,
    x_train,
    epochs=3,
    batch_size=64,
    validation_data=(x_test, x_test),
    callbacks=[ReduceLROnPlateau()],
    verbose=2,
)
test_loss = model.evaluate(x_test, x_test)
predictions = model.predict(x_test)
errors = np.mean(np.square(x_test - predictions), axis=(1, 2))
codes = encoder.predict(x_test)
