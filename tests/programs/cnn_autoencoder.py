from tensorflow.keras.datasets import mnist
from tensorflow.keras.layers import Conv2D, Input, MaxPooling2D, UpSampling2D
from tensorflow.keras.models import Model
from tensorflow.keras.utils import set_random_seed

set_random_seed(3)
(x_train, _), (x_test, _) = mnist.load_data()
x_train = x_train.reshape(-1, 28, 28, 1).astype("float32") / 255.0
x_test = x_test.reshape(-1, 28, 28, 1).astype("float32") / 255.0

image = Input(shape=(28, 28, 1))
h = Conv2D(8, (3, 3), activation="relu", padding="same")(image)
code = MaxPooling2D((2, 2), padding="same")(h)
h = Conv2D(8, (3, 3), activation="relu", padding="same")(code)
h = UpSampling2D((2, 2))(h)
decoded = Conv2D(1, (3, 3), activation="sigmoid", padding="same")(h)

model = Model(image, decoded)
encoder = Model(image, code)
model.compile(optimizer="adam", loss="binary_crossentropy")
model.summary()
history = model.fit(x_train, x_train, epochs=3, batch_size=32, shuffle=True, validation_data=(x_test, x_test))
test_loss = model.evaluate(x_test, x_test)
predictions = model.predict(x_test)
codes = encoder.predict(x_test)
