import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

rng = np.random.default_rng(22)
titles, bodies, tags = rng.random((160, 6)), rng.random((160, 5)), rng.integers(0, 2, (160, 3)).astype("float32")
priorities = titles.mean(axis=1, keepdims=True)
departments = keras.utils.to_categorical(np.argmax(bodies[:, :4], axis=1), num_classes=4)

title = keras.Input(shape=(6,), name="title")
body = keras.Input(shape=(5,), name="body")
tag = keras.Input(shape=(3,), name="tags")
features = layers.concatenate(
    [layers.Dense(8, activation="relu")(title), layers.Dense(8, activation="relu")(body), tag]
)
priority = layers.Dense(1, activation="sigmoid", name="priority")(features)
department = layers.Dense(4, activation="softmax", name="department")(features)
model = keras.Model(inputs=[title, body, tag], outputs={"priority": priority, "department": department})
model.compile(
    optimizer=keras.optimizers.RMSprop(0.01),
    loss={"priority": "mean_squared_error", "department": "categorical_crossentropy"},
    loss_weights={"priority": 1.0, "department": 0.2},
    metrics={"priority": ["mean_absolute_error"], "department": ["accuracy"]},
)
x = {"title": titles, "body": bodies, "tags": tags}
y = {"priority": priorities, "department": departments}
weights = {"priority": np.ones(160), "department": np.linspace(1.5, 0.5, 160)}
history = model.fit(x, y, sample_weight=weights, batch_size=16, epochs=3, verbose=0)
assert set(model.predict(x, verbose=0)) == {"priority", "department"}
assert {"department_accuracy", "priority_mean_absolute_error", "priority_loss"} <= set(history.history)
