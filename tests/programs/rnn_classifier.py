from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(2)
(x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
x, x_test = x.astype("float32") / 255, x_test.astype("float32") / 255
x_train, x_val, y_train, y_val = train_test_split(x, y, test_size=0.2, random_state=0)

model = keras.Sequential([keras.Input(shape=(28, 28)), layers.SimpleRNN(32), layers.Dense(10, activation="softmax")])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.003),
    loss=keras.losses.SparseCategoricalCrossentropy(),
    metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
)
model.summary()
stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)
history = model.fit(
    x_train, y_train, batch_size=32, epochs=5, validation_data=(x_val, y_val), callbacks=[stop], verbose=2
)
test_loss, test_accuracy = model.evaluate(x_test, y_test, verbose=0)
predictions = model.predict(x_test, verbose=0).argmax(axis=-1)
