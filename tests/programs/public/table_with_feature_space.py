import keras
import numpy as np
import tensorflow as tf
from keras import layers
from keras.utils import FeatureSpace

rng = np.random.default_rng(20)
N = 160
dataframe = {
    "age": rng.integers(29, 77, N),
    "sex": rng.integers(0, 2, N),
    "chol": rng.normal(246, 50, N),
    "thal": rng.choice(["fixed", "normal", "reversible"], N),
    "slope": rng.integers(1, 4, N),
}
target = (dataframe["age"] + 0.1 * dataframe["chol"] > 78).astype("float32").reshape(-1, 1)
dataset = tf.data.Dataset.from_tensor_slices((dict(dataframe), target)).batch(16)

feature_space = FeatureSpace(
    features={
        "sex": FeatureSpace.integer_categorical(num_oov_indices=0),
        "slope": "integer_categorical",
        "thal": FeatureSpace.string_categorical(num_oov_indices=0),
        "age": FeatureSpace.float_discretized(num_bins=10),
        "chol": FeatureSpace.float_normalized(),
    },
    crosses=[FeatureSpace.cross(feature_names=("sex", "age"), crossing_dim=16)],
    output_mode="concat",
)
feature_space.adapt(dataset.map(lambda x, _: x))
preprocessed = dataset.map(lambda x, y: (feature_space(x), y)).prefetch(tf.data.AUTOTUNE)

encoded_features = feature_space.get_encoded_features()
x = layers.Dense(16, activation="relu")(encoded_features)
predictions = layers.Dense(1, activation="sigmoid")(x)
training_model = keras.Model(inputs=encoded_features, outputs=predictions)
training_model.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
history = training_model.fit(preprocessed, epochs=3, verbose=0)

inference_model = keras.Model(inputs=feature_space.get_inputs(), outputs=predictions)
sample = {"age": [60], "sex": [1], "chol": [233.0], "thal": ["fixed"], "slope": [2]}
sample = {name: keras.ops.convert_to_tensor(value) for name, value in sample.items()}
assert np.allclose(inference_model.predict(sample, verbose=0), training_model.predict(feature_space(sample), verbose=0))
