import keras
import numpy as np
from keras import layers

num_tags, num_words, num_departments = 4, 20, 3
rng = np.random.default_rng(11)
title_data = rng.integers(num_words, size=(80, 6))
body_data = rng.integers(num_words, size=(80, 8))
tags_data = rng.integers(2, size=(80, num_tags)).astype("float32")
priority_targets = rng.random((80, 1))
dept_targets = np.eye(num_departments)[rng.integers(num_departments, size=80)]

title_input = keras.Input(shape=(None,), name="title")
body_input = keras.Input(shape=(None,), name="body")
tags_input = keras.Input(shape=(num_tags,), name="tags")
title_features = layers.LSTM(6)(layers.Embedding(num_words, 8)(title_input))
body_features = layers.LSTM(4)(layers.Embedding(num_words, 8)(body_input))
x = layers.concatenate([title_features, body_features, tags_input])
priority_pred = layers.Dense(1, name="priority")(x)
department_pred = layers.Dense(num_departments, name="department")(x)
model = keras.Model([title_input, body_input, tags_input], {"priority": priority_pred, "department": department_pred})
model.compile(
    optimizer=keras.optimizers.SGD(0.1),
    loss={
        "priority": keras.losses.BinaryCrossentropy(from_logits=True),
        "department": keras.losses.CategoricalCrossentropy(from_logits=True),
    },
    loss_weights={"priority": 1.0, "department": 0.2},
)
history = model.fit(
    {"title": title_data, "body": body_data, "tags": tags_data},
    {"priority": priority_targets, "department": dept_targets},
    epochs=2,
    batch_size=8,
    verbose=0,
)
