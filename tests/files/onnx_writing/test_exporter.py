"""Models as ONNX files: onnxruntime predicts what the model predicts."""

import numpy as np
import pytest

from scratchnet import layers, ops
from scratchnet.models import Model, Sequential, load_onnx
from tests.files.onnx_writing.comparing import RNG, check, moved

IMAGES, SERIES, ROWS = (RNG.normal(size=shape).astype("float32") for shape in ((3, 9, 8, 4), (3, 6, 4), (3, 5)))


def test_an_autoencoder_of_series(tmp_path):
    model = Sequential(
        [
            layers.Input(SERIES.shape[1:]),
            layers.LSTM(8, return_sequences=True),
            layers.LSTM(4),
            layers.RepeatVector(6),
            layers.LSTM(8, return_sequences=True),
            layers.TimeDistributed(layers.Dense(4)),
        ]
    )
    check(moved(model), str(tmp_path / "m.onnx"), SERIES)


def test_attention_of_tokens(tmp_path):
    tokens = RNG.integers(0, 10, (3, 6)).astype("int32")
    x = inputs = layers.Input((6,), dtype="int32")
    x = layers.Embedding(10, 8)(x)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 4)(x, x))
    model = moved(Model(inputs, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(x))))
    check(model, str(tmp_path / "m.onnx"), tokens)


def test_branches_several_inputs_and_outputs_and_a_model_within(tmp_path):
    image, row = layers.Input(IMAGES.shape[1:]), layers.Input(ROWS.shape[1:])
    encoder = Sequential([layers.Input(IMAGES.shape[1:]), layers.Conv2D(4, 3, padding="same"), layers.ReLU()])
    a = layers.Add()([encoder(image), image])
    a = layers.GlobalAveragePooling2D()(a)
    both = layers.Concatenate()([a, layers.Dense(4)(row)])
    model = moved(Model([image, row], [layers.Dense(2)(both), layers.Multiply()([a, a]), a]))
    check(model, str(tmp_path / "m.onnx"), IMAGES, ROWS)


def test_operations_between_layers(tmp_path):
    x = inputs = layers.Input(ROWS.shape[1:])
    y = ops.exp(-ops.square(layers.Dense(4)(x))) / (1 + ops.sum(ops.abs(x), axis=-1, keepdims=True))
    check(moved(Model(inputs, ops.tanh(y))), str(tmp_path / "m.onnx"), ROWS)


OPERATIONS = {
    "reshape": lambda x: ops.reshape(x, (-1, 4, 6)),
    "transpose": lambda x: ops.transpose(x, (0, 2, 1)),
    "concatenate": lambda x: ops.concatenate([x, x * 2], axis=1),
    "stack": lambda x: ops.stack([x, x + 1], axis=1),
    "a part": lambda x: x[:, 1:5:2, -1],
    "expand_dims, squeeze": lambda x: ops.squeeze(ops.expand_dims(x, 1) - 1, 1),
    "matmul": lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1))),
    "einsum": lambda x: ops.einsum("btc,bsc->bts", x, x),
    "mean": lambda x: ops.mean(x, axis=(1, 2)),
    "max, min": lambda x: ops.max(x, axis=1) - ops.min(x, axis=1, keepdims=False),
    "where": lambda x: ops.where(x > 0, x, 0.5 * x),
    "clip": lambda x: ops.clip(x, -0.5, 0.5),
    "maximum": lambda x: ops.maximum(x, 0.1),
    "power": lambda x: (x * x + 1) ** 1.5,
    "sqrt, log": lambda x: ops.log(ops.sqrt(x * x + 1)),
    "sigmoid, softmax": lambda x: ops.softmax(ops.sigmoid(x), axis=-1),
    "minus, over": lambda x: -x / (2 - ops.tanh(x)),
}


OF_ONE = """absolute negative exp log sqrt erf floor ceil round sign reciprocal sin cos tan arcsin arccos arctan
sinh cosh arcsinh arccosh arctanh tanh square rsqrt expm1 log1p log2 log10 sum mean max min prod var std ravel
zeros_like ones_like copy stop_gradient log_softmax relu sigmoid silu gelu leaky_relu softplus
hard_sigmoid isnan isinf""".split()
OF_TWO = """add subtract multiply divide power maximum minimum equal not_equal greater less greater_equal less_equal
logical_and logical_or logical_xor""".split()
WITH_OPTIONS = {
    "moveaxis": lambda x: ops.moveaxis(x, 1, 2),
    "swapaxes": lambda x: ops.swapaxes(x, 1, 2),
    "an ellipsis and a new axis": lambda x: x[..., None, 1:3],
    "backwards": lambda x: x[:, ::-1],
    "every second, backwards": lambda x: x[:, ::-2, 2:0:-1],
    "backwards from a place": lambda x: x[:, 4::-1, -2:-4:-1],
    "cumsum": lambda x: ops.cumsum(ops.transpose(x, (0, 2, 1)), axis=1),
    "cumsum of integers": lambda x: ops.cumsum(ops.cast(x > 0, "int32"), axis=1, dtype="float32"),
    "any": lambda x: ops.cast(ops.any(x > 1, axis=1), "float32"),
    "all": lambda x: ops.cast(ops.all(x > -1, axis=(1, 2), keepdims=True), "float32"),
    "one_hot": lambda x: ops.one_hot(ops.argmax(x, axis=-1), 5),
    "take_along_axis": lambda x: ops.take_along_axis(x, ops.argmax(x, axis=1, keepdims=True), axis=1),
    "mod": lambda x: ops.mod(x, 0.7) + x % 0.3,
    "floor_divide": lambda x: ops.floor_divide(x, 0.7) + ops.round(x) // 2,
    "flip": lambda x: ops.flip(x, axis=(1, 2)),
    "tile": lambda x: ops.tile(x, (1, 2, 1)),
    "repeat": lambda x: ops.repeat(x, 3, axis=1),
    "take": lambda x: ops.take(x, np.array([0, 2, 2]), axis=1),
    "round": lambda x: ops.round(x, decimals=1),
    "argmax": lambda x: ops.argmax(x, axis=1),
    "argmin, keepdims": lambda x: ops.argmin(x, axis=-1, keepdims=True),
    "cast": lambda x: ops.cast(ops.cast(x * 3, "int32"), "float32"),
    "pad": lambda x: ops.pad(x, [(0, 0), (1, 2), (0, 1)], constant_values=0.5),
    "pad, reflect": lambda x: ops.pad(x, [(0, 0), (1, 2), (0, 0)], mode="reflect"),
    "where, constants": lambda x: ops.where(x > 0, 1.0, x),
    "mean of one axis": lambda x: ops.mean(x, axis=-1, keepdims=True),
    "a constant in a row": lambda x: ops.concatenate([x, np.ones((1, 6, 4), "float32") + 0 * x], axis=2),
    "einsum with a constant": lambda x: ops.einsum("btc,cd->btd", x, np.arange(12, dtype="float32").reshape(4, 3)),
    "matmul with a constant": lambda x: ops.matmul(x, np.arange(12, dtype="float32").reshape(4, 3)),
    "squeeze": lambda x: ops.squeeze(ops.sum(x, axis=1, keepdims=True), axis=1),
    "expand_dims": lambda x: ops.expand_dims(x, -1),
}


def test_operations_of_one_and_of_two(tmp_path):
    x, y = layers.Input((6, 4)), layers.Input((6, 4))
    a, b = (RNG.uniform(0.1, 0.9, (3, 6, 4)).astype("float32") for _ in range(2))
    above = {"arccosh": 1}
    found = [getattr(ops, name)(x + above.get(name, 0), **_axes(name)) for name in OF_ONE]
    for name in OF_TWO:
        logical = name.startswith("logical")
        found.append(getattr(ops, name)(x > 0.5 if logical else ops.round(x), y > 0.5 if logical else ops.round(y) + 1))
    floats = [t if t.dtype.startswith("float") else ops.cast(t, "float32") for t in found]
    check(Model([x, y], floats), str(tmp_path / "m.onnx"), a, b)


def _axes(name):
    return {"axis": (1, 2)} if name in ("sum", "mean", "max", "min", "prod", "var", "std") else {}


@pytest.mark.parametrize("name", WITH_OPTIONS)
def test_operations_with_options(tmp_path, name):
    inputs = layers.Input(SERIES.shape[1:])
    check(Model(inputs, WITH_OPTIONS[name](inputs)), str(tmp_path / "m.onnx"), SERIES)


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations(tmp_path, name):
    inputs = layers.Input(SERIES.shape[1:])
    check(Model(inputs, OPERATIONS[name](inputs)), str(tmp_path / "m.onnx"), SERIES)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Attention(),
        layers.AdditiveAttention(),
        layers.GroupQueryAttention(4, 4, 2),
        layers.MultiHeadAttention(2, 3),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_attention(tmp_path, layer):
    a, b = layers.Input(SERIES.shape[1:]), layers.Input((9, 4))
    y = layer([a, b]) if isinstance(layer, (layers.Attention, layers.AdditiveAttention)) else layer(a, b)
    other = RNG.normal(size=(3, 9, 4)).astype("float32")
    check(moved(Model([a, b], y)), str(tmp_path / "m.onnx"), SERIES, other)


def test_what_is_written_is_read_again(tmp_path):
    model = moved(Sequential([layers.Input(IMAGES.shape[1:]), layers.Conv2D(3, 3), layers.Flatten(), layers.Dense(2)]))
    model.export(tmp_path / "m.onnx")
    again = load_onnx(str(tmp_path / "m.onnx"))
    np.testing.assert_allclose(again.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0), atol=1e-5)


def test_refusals_name_the_model_or_the_layer(tmp_path):
    class Own(layers.Layer):
        def forward(self, x, training=False):
            return x, None

    model = Sequential([layers.Input((5,)), Own(name="mine")], name="m")
    with pytest.raises(ValueError, match="'mine' cannot be exported to ONNX: .*no counterpart"):
        model.export(tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()
    with pytest.raises(ValueError, match="before it is built"):
        Sequential([layers.Dense(2)]).export(tmp_path / "m.onnx")
    fine = Sequential([layers.Input((5,)), layers.Dense(2)])
    with pytest.raises(ValueError, match="'onnx', not as 'tf_saved_model'"):
        fine.export(tmp_path / "m", format="tf_saved_model")
    fine.export(tmp_path / "m.onnx")
    with pytest.raises(FileExistsError):
        fine.export(tmp_path / "m.onnx", overwrite=False)


def test_a_model_and_layers_of_ones_own_with_weights(tmp_path):
    class Attentive(layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.inner = layers.Dense(units, activation=lambda z: z * ops.sigmoid(z))
            self.units = units

        def build(self, shape):
            self.kernel = self.add_weight(shape=(self.units, 1), name="kernel")

        def call(self, x):
            h = self.inner(x)
            return ops.sum(h * ops.softmax(ops.matmul(h, self.kernel), axis=1), axis=1)

    class Mine(Model):
        def __init__(self):
            super().__init__()
            self.first, self.last = Attentive(5), layers.Dense(2)

        def call(self, x):
            return self.last(self.first(x)) + np.arange(2, dtype="float32")

    model = Mine()
    model(SERIES)
    check(moved(model), str(tmp_path / "m.onnx"), SERIES)
