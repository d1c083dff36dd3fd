from tensorflow.keras.datasets import mnist
from tensorflow.keras.layers import Dense, RepeatVector, SimpleRNN, TimeDistributed
from tensorflow.keras.models import Sequential
from tensorflow.keras.utils import set_random_seed

set_random_seed(4)
(x_train, _), (x_test, _) = mnist.load_data()
x_train, x_test = x_train / 255.0, x_test / 255.0

model = Sequential(
    [
        SimpleRNN(32, activation="relu", input_shape=(28, 28)),
        RepeatVector(28),
        SimpleRNN(32, activation="relu", return_sequences=True),
        TimeDistributed(Dense(28, activation="sigmoid")),
    ]
)
model.compile(optimizer="adam", loss="binary_crossentropy")
model.summary()
history = model.fit(x_train, x_train, epochs=3, batch_size=32, validation_split=0.1, verbose=0)
test_loss = model.evaluate(x_test, x_test, verbose=0)
predictions = model.predict(x_test, verbose=0)
