"""Operations between layers in files of Keras 2."""

import json

import h5py
import numpy as np
import pytest

from scratchnet.layers import Dense, Input
from scratchnet.models import Model, load_model

X = np.random.default_rng(0).normal(size=(3, 6, 4)).astype("float32")

# Behind a Dense layer: function, its arguments beside the first; what it computes of the layer's output y and of x.
OPERATIONS = {
    "math.multiply": ({"y": 2, "name": None}, lambda y, x: y * 2),
    "__operators__.add": ({"y": ["x", 0, 0], "name": None}, lambda y, x: y + x),
    "math.truediv": ({"y": 4.0}, lambda y, x: y / 4),
    "math.pow": ({"y": 2}, lambda y, x: y**2),
    "math.maximum": ({"y": 0.1}, lambda y, x: np.maximum(y, 0.1)),
    "nn.relu": ({"name": None}, lambda y, x: np.maximum(y, 0)),
    "math.abs": ({}, lambda y, x: abs(y)),
    "math.reduce_mean": ({"axis": 1, "keepdims": True}, lambda y, x: y.mean(axis=1, keepdims=True)),
    "math.reduce_sum": ({"axis": [1, 2]}, lambda y, x: y.sum(axis=(1, 2))),
    "reshape": ({"shape": [-1, 12, 2]}, lambda y, x: y.reshape(-1, 12, 2)),
    "compat.v1.transpose": ({"perm": [0, 2, 1], "conjugate": False}, lambda y, x: y.transpose(0, 2, 1)),
    "expand_dims": ({"axis": 1}, lambda y, x: y[:, None]),
    "clip_by_value": ({"clip_value_min": -0.5, "clip_value_max": 0.5}, lambda y, x: np.clip(y, -0.5, 0.5)),
    "nn.bias_add": ({"bias": 0.5}, lambda y, x: y + 0.5),
    "nn.leaky_relu": ({"alpha": 0.3}, lambda y, x: np.where(y > 0, y, 0.3 * y)),
    "__operators__.getitem": (
        {"slice_spec": [{"start": None, "stop": None, "step": None}, 0, {"start": 1, "stop": 3, "step": None}]},
        lambda y, x: y[:, 0, 1:3],
    ),
}  # fmt: skip


def by_keras_2(tmp_path, function, uses):
    """A file of a model that ends in a function of TensorFlow."""
    x = Input((6, 4), name="x")
    model, path = Model(x, Dense(4, name="y")(x)), tmp_path / "m.h5"
    model.save(path)
    slicing = function.endswith("getitem")
    layers = [
        {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 6, 4], "name": "x"}, "name": "x",
         "inbound_nodes": []},
        {"class_name": "Dense", "config": {"name": "y", "units": 4}, "name": "y", "inbound_nodes": [[["x", 0, 0, {}]]]},
        {"class_name": "SlicingOpLambda" if slicing else "TFOpLambda", "name": "z", "inbound_nodes": uses,
         "config": {"name": "z", "function": function, "trainable": True, "dtype": "float32"}},
    ]  # fmt: skip
    ends = {"input_layers": [["x", 0, 0]], "output_layers": [["z", len(uses) - 1, 0]]}
    config = {"class_name": "Functional", "config": {"name": "m", "layers": layers, **ends}}
    with h5py.File(path, "a") as file:
        file.attrs["model_config"], file.attrs["keras_version"] = json.dumps(config), "2.11.0"
    return path, model.predict(X, verbose=0)


@pytest.mark.parametrize("function", OPERATIONS)
def test_functions_of_one_tensor_and_more(tmp_path, function):
    options, compute = OPERATIONS[function]
    path, y = by_keras_2(tmp_path, function, [["y", 0, 0, options]])
    np.testing.assert_allclose(load_model(path).predict(X, verbose=0), compute(y, X), rtol=1e-5, atol=1e-6)


def test_a_list_of_tensors_and_a_constant_in_front(tmp_path):
    path, y = by_keras_2(tmp_path, "concat", [[["y", 0, 0, {"axis": -1}], ["x", 0, 0, {"axis": -1}]]])
    np.testing.assert_allclose(load_model(path).predict(X, verbose=0), np.concatenate([y, X], -1), rtol=1e-6)
    path, y = by_keras_2(tmp_path, "math.subtract", [["_CONSTANT_VALUE", -1, 1.0, {"y": ["y", 0, 0]}]])
    np.testing.assert_allclose(load_model(path).predict(X, verbose=0), 1 - y, rtol=1e-6)


@pytest.mark.parametrize(
    "function, uses, problem",
    [
        ("signal.fft", [["y", 0, 0, {}]], "function 'signal.fft' of TensorFlow is not read"),
        ("linalg.matmul", [["y", 0, 0, {"b": ["x", 0, 0], "transpose_b": True}]], "'matmul' knows no transpose_b"),
        ("math.multiply", [["y", 0, 0, {"y": 2, "k": 1}], ["x", 0, 0, {"y": 2, "k": 2}]], "with other options"),
    ],
)
def test_what_is_not_known_is_refused_by_name(tmp_path, function, uses, problem):
    path, _ = by_keras_2(tmp_path, function, uses)
    with pytest.raises(ValueError, match=rf"m\.h5 .*{problem}"):
        load_model(path)
