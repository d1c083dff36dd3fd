from tensorflow.keras import Sequential
from tensorflow.keras.datasets import cifar10
from tensorflow.keras.layers import LSTM, Conv2D, Dense, Flatten, MaxPooling2D, Reshape
from tensorflow.keras.utils import set_random_seed, to_categorical

set_random_seed(7)
(x_train, y_train), (x_test, y_test) = cifar10.load_data()
x_train, x_test = x_train / 255.0, x_test / 255.0
y_train, y_test = to_categorical(y_train, 10), to_categorical(y_test, 10)

model = Sequential(
    [
        Conv2D(8, (3, 3), activation="relu", padding="same", input_shape=(32, 32, 3)),
        MaxPooling2D((2, 2)),
        Flatten(),
        Reshape((64, -1)),
        LSTM(16, return_sequences=True),
        LSTM(16),
        Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.summary()
history = model.fit(x_train, y_train, epochs=3, batch_size=32, validation_data=(x_test, y_test))
test_loss, test_accuracy = model.evaluate(x_test, y_test)
predictions = model.predict(x_test).argmax(axis=1)
