import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, losses

rng = np.random.default_rng(23)
labels = rng.integers(0, 2, (160, 1)).astype("float32")
texts = np.array(
    [
        " ".join(rng.choice(["The", "movie", "was", "a", "film!", "great" if label else "awful", "Fine"], 9))
        for label in labels[:, 0]
    ]
)
raw_train_ds = tf.data.Dataset.from_tensor_slices((texts, labels)).batch(16)
vectorize_layer = layers.TextVectorization(max_tokens=20, output_mode="int", output_sequence_length=10)
vectorize_layer.adapt(raw_train_ds.map(lambda text, label: text))


def vectorize_text(text, label):
    text = tf.expand_dims(text, -1)
    return vectorize_layer(text), label


train_ds = raw_train_ds.map(vectorize_text).cache().prefetch(buffer_size=tf.data.AUTOTUNE)
model = tf.keras.Sequential(
    [
        layers.Input((10,)),
        layers.Embedding(20, 8, mask_zero=True),
        layers.Bidirectional(layers.LSTM(6)),
        layers.Dense(1),
    ]
)
model.compile(
    loss=losses.BinaryCrossentropy(from_logits=True),
    optimizer=tf.keras.optimizers.SGD(0.5),
    metrics=[tf.metrics.BinaryAccuracy(threshold=0.0)],
)
history = model.fit(train_ds, epochs=3, verbose=0)

export_model = tf.keras.Sequential([vectorize_layer, model, layers.Activation("sigmoid")])
examples = tf.constant(["The movie was great!", "The movie was awful..."])
assert export_model(examples).shape == (2, 1)
assert vectorize_layer.get_vocabulary()[:2] == ["", "[UNK]"]
