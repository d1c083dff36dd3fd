"""Models as ONNX files: onnxruntime predicts what the model predicts."""

import numpy as np
import onnx
import onnxruntime
import pytest

from scratchnet import layers, ops
from scratchnet.models import Model, Sequential, load_onnx

RNG = np.random.default_rng(0)
IMAGES, SERIES, ROWS = (RNG.normal(size=shape).astype("float32") for shape in ((3, 9, 8, 4), (3, 6, 4), (3, 5)))


def moved(model):
    """The model with weights that hide nothing: no zero, no one, positive variances."""
    model.set_weights([RNG.uniform(0.1, 0.6, w.shape) * RNG.choice([-1, 1], w.shape[-1:]) for w in model.get_weights()])
    for layer in model.layers:
        for name in ("moving_variance", "variance"):
            if name in layer.state:
                layer.state[name][...] = RNG.uniform(0.5, 2, layer.state[name].shape)
    return model


def check(model, path, *inputs, atol=1e-5):
    """Export, let onnx check the file and onnxruntime run it; compare, for another batch size as well."""
    model.export(path)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path)
    names = [i.name for i in session.get_inputs()]
    for rows in (len(inputs[0]), 2):
        xs = [x[:rows] for x in inputs]
        expected = model.predict(xs if len(xs) > 1 else xs[0], verbose=0)
        found = session.run(None, dict(zip(names, xs)))
        for y, wanted in zip(found, expected if isinstance(expected, list) else [expected], strict=True):
            np.testing.assert_allclose(y, wanted, atol=atol, rtol=1e-4)


OF_IMAGES = {
    "Conv2D": lambda: layers.Conv2D(3, 3, activation="relu"),
    "Conv2D, same, strides": lambda: layers.Conv2D(3, (3, 2), strides=2, padding="same", activation="tanh"),
    "Conv2D, dilated, groups": lambda: layers.Conv2D(4, 2, dilation_rate=2, groups=2, use_bias=False),
    "Conv2DTranspose": lambda: layers.Conv2DTranspose(3, 3, strides=2, padding="same"),
    "Conv2DTranspose, valid": lambda: layers.Conv2DTranspose(3, 2, strides=3),
    "DepthwiseConv2D": lambda: layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same"),
    "SeparableConv2D": lambda: layers.SeparableConv2D(5, 3, activation="sigmoid"),
    "MaxPooling2D": lambda: layers.MaxPooling2D(2, padding="same"),
    "AveragePooling2D": lambda: layers.AveragePooling2D(3, strides=2, padding="same"),
    "GlobalAveragePooling2D": lambda: layers.GlobalAveragePooling2D(),
    "GlobalMaxPooling2D": lambda: layers.GlobalMaxPooling2D(keepdims=True),
    "UpSampling2D": lambda: layers.UpSampling2D((2, 3)),
    "UpSampling2D, bilinear": lambda: layers.UpSampling2D(2, interpolation="bilinear"),
    "ZeroPadding2D": lambda: layers.ZeroPadding2D(((1, 2), (0, 3))),
    "Cropping2D": lambda: layers.Cropping2D(((1, 2), (0, 3))),
    "BatchNormalization": lambda: layers.BatchNormalization(),
    "BatchNormalization, axis 1": lambda: layers.BatchNormalization(axis=1, scale=False),
    "LayerNormalization": lambda: layers.LayerNormalization(),
    "GroupNormalization": lambda: layers.GroupNormalization(2),
    "UnitNormalization": lambda: layers.UnitNormalization(),
    "Softmax": lambda: layers.Softmax(),
    "PReLU": lambda: layers.PReLU(),
    "Rescaling": lambda: layers.Rescaling(1 / 255, offset=0.5),
    "Dropout": lambda: layers.Dropout(0.5),
    "Permute": lambda: layers.Permute((3, 1, 2)),
    "Reshape": lambda: layers.Reshape((6, -1)),
    "Flatten": lambda: layers.Flatten(),
    **{
        f"Activation {name}": (lambda name=name: layers.Activation(name))
        for name in (
            "relu",
            "gelu",
            "elu",
            "selu",
            "silu",
            "softplus",
            "softsign",
            "hard_sigmoid",
            "leaky_relu",
            "mish",
        )
    },
}
OF_SERIES = {
    "Conv1D, causal": lambda: layers.Conv1D(3, 3, padding="causal", dilation_rate=2),
    "MaxPooling1D": lambda: layers.MaxPooling1D(2),
    "LSTM": lambda: layers.LSTM(5),
    "LSTM, whole, backwards": lambda: layers.LSTM(5, return_sequences=True, go_backwards=True),
    "GRU": lambda: layers.GRU(5, return_sequences=True),
    "GRU, reset before": lambda: layers.GRU(5, reset_after=False),
    "SimpleRNN": lambda: layers.SimpleRNN(5, activation="relu"),
    "Bidirectional": lambda: layers.Bidirectional(layers.LSTM(5, return_sequences=True)),
    "Bidirectional, sum": lambda: layers.Bidirectional(layers.GRU(5), merge_mode="sum"),
    "TimeDistributed": lambda: layers.TimeDistributed(layers.Dense(3, activation="relu")),
    "Dense of a series": lambda: layers.Dense(3, use_bias=False),
}


@pytest.mark.parametrize("name", OF_IMAGES)
def test_layers_of_images(tmp_path, name):
    model = moved(Sequential([layers.Input(IMAGES.shape[1:]), OF_IMAGES[name]()]))
    check(model, str(tmp_path / "m.onnx"), IMAGES)


@pytest.mark.parametrize("name", OF_SERIES)
def test_layers_of_series(tmp_path, name):
    model = moved(Sequential([layers.Input(SERIES.shape[1:]), OF_SERIES[name]()]))
    check(model, str(tmp_path / "m.onnx"), SERIES)


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
    first = Sequential([layers.Input((3, 5, 5)), layers.MaxPooling2D(data_format="channels_first", name="pool")])
    with pytest.raises(ValueError, match="'pool' cannot be exported to ONNX: .*channels last"):
        first.export(tmp_path / "m.onnx")
    with pytest.raises(ValueError, match="before it is built"):
        Sequential([layers.Dense(2)]).export(tmp_path / "m.onnx")
    fine = Sequential([layers.Input((5,)), layers.Dense(2)])
    with pytest.raises(ValueError, match="'onnx', not as 'tf_saved_model'"):
        fine.export(tmp_path / "m", format="tf_saved_model")
    fine.export(tmp_path / "m.onnx")
    with pytest.raises(FileExistsError):
        fine.export(tmp_path / "m.onnx", overwrite=False)
