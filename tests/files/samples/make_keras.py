"""Makes keras.zip: models in all of Keras's files, with inputs and outputs; it needs tensorflow, keras 3 and tf_keras.

Each generation of Keras runs in a process of its own.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import numpy as np

HERE = pathlib.Path(__file__).parent


def models(keras):
    layers = keras.layers

    def network(name, inputs, outputs):
        return keras.Model(inputs, outputs, name=name)

    x = keras.Input((8, 8, 2), name="picture")
    y = layers.Conv2D(3, 3, strides=2, padding="same", use_bias=False)(x)
    y = layers.BatchNormalization()(y)
    y = layers.Activation("relu")(y)
    y = layers.MaxPooling2D(2)(layers.ZeroPadding2D(1)(y))
    y = layers.Dropout(0.3)(layers.Flatten()(y))
    yield network("convolutions", x, layers.Dense(4, activation="softmax", kernel_regularizer="l2")(y))

    left, right = keras.Input((3,), name="left"), keras.Input((3,), name="right")
    shared = layers.Dense(4, activation="tanh", name="shared")
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.LayerNormalization()], name="inner")
    a, b = shared(left), shared(right)
    both = layers.Concatenate()([inner(a), inner(b), layers.Add()([a, b])])
    hidden = keras.Input((10,), name="hidden")
    ends = keras.Model(hidden, [layers.Dense(2, name="one")(hidden), layers.Dense(1, name="two")(hidden)], name="ends")
    yield network("shared", [right, left], ends(both))

    x = keras.Input((5,), name="words", dtype="int32")
    y = layers.Embedding(7, 3)(x)
    y, h, c = layers.LSTM(4, return_sequences=True, return_state=True)(y)
    y = layers.LSTM(4, return_sequences=True)(y, initial_state=[h, c])
    y = layers.TimeDistributed(layers.Dense(3))(y)
    yield network("recurrent", x, layers.SimpleRNN(2)(y))

    x = keras.Input((4, 4, 2))
    y = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(x)
    y = layers.ReLU(6.0)(layers.SeparableConv2D(3, 2, padding="same")(y))
    yield network("transposed", x, layers.Conv2DTranspose(2, 3, strides=2, padding="same")(layers.PReLU()(y)))

    x = keras.Input((5, 3))
    y = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x)
    y = layers.Bidirectional(layers.GRU(2, return_sequences=True), merge_mode="sum")(y)
    y = layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], return_sequences=True)(y)
    y = layers.MultiHeadAttention(2, 3)(y, y)
    yield network("both_ways", x, layers.GRU(3, reset_after=False)(y))

    yield keras.Sequential(
        [layers.Dense(5, activation="elu", input_shape=(3,)), layers.LeakyReLU(), layers.Dense(2)], name="stack"
    )


def weights(model, seed):
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        value = rng.normal(size=weight.shape) * 0.5
        name = getattr(weight, "path", weight.name)
        weight.assign(np.abs(value) + 0.5 if "variance" in name or "gamma" in name else value)


def inputs(model, seed):
    rng = np.random.default_rng(seed)
    xs = []
    for tensor in model.inputs:
        shape = (3, *tensor.shape[1:])
        xs.append(rng.integers(0, 7, shape) if "int" in str(tensor.dtype) else rng.normal(size=shape).astype("float32"))
    return xs


def make(generation, folder):
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    if generation == "keras2":
        import tf_keras as keras
    else:
        import keras
    for seed, model in enumerate(models(keras)):
        weights(model, seed)
        model.compile("adam", "mse", metrics=["mae"] if len(model.outputs) == 1 else None)
        xs = inputs(model, seed)
        ys = model.predict(xs if len(xs) > 1 else xs[0], verbose=0)
        ys = ys if isinstance(ys, list) else [ys]
        stem = os.path.join(folder, f"{generation}_{model.name}")
        np.savez(
            f"{stem}.npz",
            **{f"x{k}": x for k, x in enumerate(xs)},
            **{f"y{k}": np.asarray(y) for k, y in enumerate(ys)},
        )
        model.save(f"{stem}.keras")
        model.save(f"{stem}.h5")
        model.save_weights(f"{stem}.weights.h5")
        if generation == "keras2":
            model.save_weights(f"{stem}_w.h5")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        make(*sys.argv[1:])
    else:
        with tempfile.TemporaryDirectory() as folder:
            for generation in ("keras2", "keras3"):
                subprocess.run([sys.executable, __file__, generation, folder], check=True)
            with zipfile.ZipFile(HERE / "keras.zip", "w", zipfile.ZIP_DEFLATED) as archive:
                for path in sorted(pathlib.Path(folder).iterdir()):
                    archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes(), zipfile.ZIP_DEFLATED, 9)
