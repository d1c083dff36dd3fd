import tensorflow.keras as keras
from tensorflow.keras.datasets import mnist
from tensorflow.keras.layers import LSTM, Dense, RepeatVector, TimeDistributed

keras.utils.set_random_seed(5)
(x_train, _), (x_test, _) = mnist.load_data()
x_train, x_test = x_train / 255.0, x_test / 255.0

model = keras.models.Sequential()
model.add(keras.layers.Input(shape=(28, 28)))
model.add(LSTM(32, activation="relu"))
model.add(RepeatVector(28))
model.add(LSTM(32, activation="relu", return_sequences=True))
model.add(TimeDistributed(Dense(28, activation="sigmoid")))
model.compile(optimizer=keras.optimizers.Adam(), loss=keras.losses.BinaryCrossentropy(), metrics=["mse"])
model.summary()
history = model.fit(x_train, x_train, epochs=3, batch_size=32, validation_split=0.2)
test_loss, test_mse = model.evaluate(x_test, x_test)
predictions = model.predict(x_test)
