"""A small Transformer that classifies padded sequences of tokens, written once for both libraries.

Whether the token 1 stands in front of the token 2: nothing that looks at each token for itself can know that.
"""

import numpy as np

TOKENS, STEPS, FEATURES = 8, 7, 12


def data(samples=96):
    """``([tokens, positions], y)``: behind the end of a sequence there are zeros."""
    rng = np.random.default_rng(5)
    tokens = rng.integers(3, TOKENS, (samples, STEPS))
    lengths = rng.integers(4, STEPS + 1, samples)
    for row, length in zip(tokens, lengths):
        row[rng.permutation(length)[:2]] = 1, 2
    tokens[np.arange(STEPS) >= lengths[:, None]] = 0
    positions = np.where(tokens > 0, np.arange(1, STEPS + 1), 0)
    y = (tokens == 1).argmax(axis=1) < (tokens == 2).argmax(axis=1)
    return [tokens.astype("int32"), positions.astype("int32")], y.astype("float32")[:, None]


def make(library, causal=False):
    """Embedding, and one block of attention and Dense layers, each around a shortcut and normalized."""
    layers = library.layers
    tokens, positions = library.Input((STEPS,), dtype="int32"), library.Input((STEPS,), dtype="int32")
    x = layers.Add()(
        [
            layers.Embedding(TOKENS, FEATURES, mask_zero=True)(tokens),
            layers.Embedding(STEPS + 1, FEATURES, mask_zero=True)(positions),
        ]
    )
    seen = layers.MultiHeadAttention(num_heads=3, key_dim=4)(x, x, use_causal_mask=causal)
    x = layers.LayerNormalization()(layers.Add()([x, seen]))
    thought = layers.Dense(FEATURES)(layers.Dense(2 * FEATURES, activation="relu")(x))
    x = layers.LayerNormalization()(layers.Add()([x, thought]))
    y = layers.Dense(1, activation="sigmoid")(layers.GlobalAveragePooling1D()(x))
    model = library.Model([tokens, positions], y)
    model.compile(library.optimizers.SGD(0.3), "binary_crossentropy", metrics=["accuracy"])
    return model


def set_weights(model):
    """The same random weights in every library."""
    rng = np.random.default_rng(6)
    model.set_weights([rng.normal(scale=0.4, size=w.shape).astype("float32") for w in model.get_weights()])


def losses(library, steps=20, causal=False):
    """The losses before each step, over batches of 32."""
    (tokens, positions), y = data()
    model = make(library, causal)
    set_weights(model)
    found = []
    for step in range(steps):
        rows = slice(32 * step % 96, 32 * step % 96 + 32)
        found.append(float(model.train_on_batch([tokens[rows], positions[rows]], y[rows])[0]))
    return found


# What Keras's losses are, at every fifth of the 20 steps.
EXPECTED = {
    False: (0.7607239484786987, 0.7113845348358154, 0.6784154772758484, 0.6915621161460876, 0.6780446767807007),
    True: (0.7609155178070068, 0.7099727392196655, 0.6738406419754028, 0.6883493065834045, 0.6700352430343628),
}
AT = (0, 5, 10, 15, 19)
