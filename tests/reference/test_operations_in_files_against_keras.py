"""Operations between layers travel in Keras's files, both ways."""

import numpy as np
import pytest

import scratchnet

pytestmark = [pytest.mark.reference, pytest.mark.filterwarnings("ignore")]

X = np.random.default_rng(0).uniform(0.1, 0.9, (3, 6, 4)).astype("float32")

OF_ONE = """absolute exp log sqrt square negative reciprocal sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh
arctanh floor ceil sign expm1 log1p log2 log10 rsqrt erf erfinv ravel relu relu6 leaky_relu elu selu celu sigmoid
log_sigmoid softsign softplus squareplus silu gelu softmax log_softmax hard_sigmoid hard_silu hard_tanh hard_shrink
soft_shrink tanh_shrink sparse_plus sparse_sigmoid stop_gradient zeros_like ones_like copy cumsum
isfinite isnan logical_not var std trace diagonal""".split()
OF_TWO = """add subtract multiply divide power maximum minimum mod floor_divide equal not_equal less less_equal greater
greater_equal logical_and logical_or logical_xor arctan2 hypot logaddexp divide_no_nan""".split()
OTHERS = {
    "operators": lambda ops, x: -x * 2 + 1 / (x + 1) - x**2 // 1 + 3 % (x + 1) + abs(x),
    "index": lambda ops, x: x[:, 1:5:2, -1],
    "ellipsis": lambda ops, x: x[..., None, 2],
    "reshape": lambda ops, x: ops.reshape(x, (-1, 8, 3)),
    "transpose": lambda ops, x: ops.transpose(x, (0, 2, 1)),
    "moveaxis": lambda ops, x: ops.moveaxis(x, 1, 2),
    "concatenate": lambda ops, x: ops.concatenate([x, x * 2], axis=1),
    "stack": lambda ops, x: ops.stack([x, x + 1], axis=-1),
    "split": lambda ops, x: ops.split(x, 2, axis=2)[1],
    "sum": lambda ops, x: ops.sum(x, axis=(1, 2)),
    "mean": lambda ops, x: ops.mean(x, axis=-1, keepdims=True),
    "max": lambda ops, x: ops.max(x, axis=1),
    "argmax": lambda ops, x: ops.cast(ops.argmax(x, axis=1), "float32"),
    "matmul": lambda ops, x: ops.matmul(x, ops.swapaxes(x, 1, 2)),
    "matmul with a constant": lambda ops, x: ops.matmul(x, np.arange(8, dtype="float32").reshape(4, 2)),
    "einsum": lambda ops, x: ops.einsum("btc,bsc->bts", x, x),
    "where": lambda ops, x: ops.where(x > 0.5, x, 0.0),
    "clip": lambda ops, x: ops.clip(x, 0.3, 0.6),
    "pad": lambda ops, x: ops.pad(x, [[0, 0], [1, 2], [0, 0]], constant_values=0.5),
    "pad, reflect": lambda ops, x: ops.pad(x, [[0, 0], [1, 2], [0, 0]], mode="reflect"),
    "take": lambda ops, x: ops.take(x, [0, 2], axis=1),
    "one_hot": lambda ops, x: ops.one_hot(ops.cast(x[:, :, 0] * 5, "int32"), 5),
    "tile": lambda ops, x: ops.tile(x, (1, 2, 1)),
    "repeat": lambda ops, x: ops.repeat(x, 2, axis=1),
    "round": lambda ops, x: ops.round(x, 1),
    "squeeze, expand_dims": lambda ops, x: ops.squeeze(ops.expand_dims(x, 1), 1) + 0,
    "isclose": lambda ops, x: ops.cast(ops.isclose(x, 0.5, rtol=0.1, atol=0.2), "float32"),
    "norm": lambda ops, x: ops.norm(x, axis=-1),
    "normalize": lambda ops, x: ops.normalize(x, axis=-1),
    "threshold": lambda ops, x: ops.threshold(x, 0.5, 0.1),
    "flip": lambda ops, x: ops.flip(x, axis=1),
    "gelu, by tanh": lambda ops, x: ops.gelu(x, approximate=True),
    "leaky_relu": lambda ops, x: ops.leaky_relu(x - 0.5, negative_slope=0.3),
}


def model_of(library):
    """All operations, one after the other, as outputs of one model."""
    layers, ops = library.layers, library.ops
    x = inputs = library.Input(X.shape[1:])
    x = layers.Dense(4, activation="sigmoid")(x)
    found = [ops.cast(getattr(ops, name)(x if "logical" not in name else x > 0.5), "float32") for name in OF_ONE]
    for name in OF_TWO:
        a, b = (x > 0.5, inputs > 0.5) if "logical" in name else (x, inputs)
        found.append(ops.cast(getattr(ops, name)(a, b), "float32"))
    return library.Model(inputs, found + [make(ops, x) for make in OTHERS.values()])


@pytest.mark.parametrize("ours", [True, False], ids=["from here to Keras", "from Keras to here"])
@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_operations_travel_in_files(keras, tmp_path, ours, ending):
    writer, reader = (scratchnet, keras) if ours else (keras, scratchnet)
    model, path = model_of(writer), str(tmp_path / f"m{ending}")
    model.save(path)
    again = reader.models.load_model(path, compile=False)
    expected, found = (m.predict(X, verbose=0) for m in (model, again))
    for name, y, wanted in zip([*OF_ONE, *OF_TWO, *OTHERS], found, expected, strict=True):
        np.testing.assert_allclose(np.asarray(y, float), np.asarray(wanted, float), rtol=1e-4, atol=1e-5, err_msg=name)
