import keras
import numpy as np
from keras import layers


class DataGenerator(keras.utils.Sequence):
    def __init__(self, list_ids, batch_size=8, dim=(5, 5), n_classes=3):
        super().__init__()
        self.list_ids, self.batch_size, self.dim, self.n_classes = list_ids, batch_size, dim, n_classes

    def __len__(self):
        return int(np.floor(len(self.list_ids) / self.batch_size))

    def __getitem__(self, index):
        ids = self.list_ids[index * self.batch_size : (index + 1) * self.batch_size]
        x = np.stack([np.random.default_rng(k).random((*self.dim, 1)) for k in ids])
        return x, keras.utils.to_categorical([k % self.n_classes for k in ids], num_classes=self.n_classes)


training_generator = DataGenerator(list(range(96)))
validation_generator = DataGenerator(list(range(96, 112)))
model = keras.Sequential(
    [
        layers.Input((5, 5, 1)),
        layers.Conv2D(4, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(3, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
history = model.fit(training_generator, validation_data=validation_generator, epochs=2, verbose=0)
