import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(8)
x_train = rng.random((80, 8, 8, 3)).astype("float32")
y_train = keras.utils.to_categorical(rng.integers(0, 4, 80), 4)


def resnet_layer(inputs, filters=4, strides=1, activation="relu"):
    x = layers.Conv2D(
        filters,
        kernel_size=3,
        strides=strides,
        padding="same",
        kernel_initializer="he_normal",
        kernel_regularizer=keras.regularizers.L2(1e-4),
    )(inputs)
    x = layers.BatchNormalization()(x)
    return layers.Activation(activation)(x) if activation is not None else x


inputs = keras.Input(shape=(8, 8, 3))
x = resnet_layer(inputs)
for stack in range(2):
    strides = 1 if stack == 0 else 2
    y = resnet_layer(x, filters=4 * (stack + 1), strides=strides)
    y = resnet_layer(y, filters=4 * (stack + 1), activation=None)
    if stack > 0:
        x = layers.Conv2D(4 * (stack + 1), kernel_size=1, strides=strides, padding="same")(x)
    x = layers.add([x, y])
    x = layers.Activation("relu")(x)
x = layers.AveragePooling2D(pool_size=4)(x)
outputs = layers.Dense(4, activation="softmax")(layers.Flatten()(x))
model = keras.Model(inputs, outputs)
model.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.SGD(0.01), metrics=["accuracy"])
history = model.fit(x_train, y_train, batch_size=8, epochs=2, verbose=0)
