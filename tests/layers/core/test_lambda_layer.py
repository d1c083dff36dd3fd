"""Lambda: a function as a layer."""

import base64
import marshal

import numpy as np
import pytest

from scratchnet import ops
from scratchnet.callbacks import ModelCheckpoint
from scratchnet.gradient_check import check_layer
from scratchnet.layers import Concatenate, Dense, Input, Lambda, Masking
from scratchnet.models import Model, Sequential, load_model
from scratchnet.registry import register_keras_serializable


@register_keras_serializable("tests")
def scaled_difference(inputs, scale=1.0):
    return (inputs[0] - inputs[1]) * scale


def data(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def test_a_function_is_differentiated():
    layer = Lambda(lambda x: ops.sum(x**2, axis=1) / (1 + ops.exp(-x[:, 0])), dtype="float64")
    assert check_layer(layer, data(4, 3)).passed
    assert check_layer(
        Lambda(scaled_difference, arguments={"scale": 3.0}, dtype="float64"), [data(2, 3), data(2, 3)]
    ).passed


def test_in_models_with_arguments_and_training():
    a, b = Input((3,)), Input((3,))
    model = Model([a, b], Lambda(scaled_difference, arguments={"scale": 2.0}, output_shape=(3,), name="d")([a, b]))
    values = [data(5, 3), data(5, 3, seed=1)]
    np.testing.assert_allclose(model.predict(values, verbose=0), 2 * (values[0] - values[1]), rtol=1e-6)

    noisy = Sequential([Input((3,)), Lambda(lambda x, training=None: x * 5 if training else x)])
    assert noisy(np.ones((1, 3)), training=True)[0, 0] == 5 and noisy(np.ones((1, 3)))[0, 0] == 1


def test_masks():
    x = np.array([[[1.0], [0.0]]])
    seen = []

    def read(x, mask=None):
        seen.append(mask)
        return x

    Sequential([Input((2, 1)), Masking(), Lambda(read)])(x)
    assert seen[-1].dtype == "bool" and seen[-1].shape == (None, 2)
    layer = Lambda(lambda x: x, mask=lambda inputs, mask: inputs[:, :, 0] > 2)
    assert layer.compute_mask(x).tolist() == [[False, False]]


def test_a_named_function_is_saved(tmp_path):
    a = Input((4,))
    model = Model(a, Lambda(scaled_difference, arguments={"scale": 2.0})([Dense(2)(a), Dense(2)(a)]))
    model.save(tmp_path / "m.npz")
    x = data(3, 4)
    np.testing.assert_array_equal(load_model(tmp_path / "m.npz").predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize("ending", ["npz", "keras", "h5"])
def test_a_lambda_is_saved_and_whoever_loads_it_gives_the_function(tmp_path, ending):
    step, path = 1.0, tmp_path / f"m.{ending}"
    model = Sequential(
        [Input((2,)), Lambda(lambda x: x + step, name="plus", output_shape=lambda shape: shape), Dense(2)]
    )
    model.compile("sgd", "mse")
    x = data(3, 2)
    model.fit(x, x, verbose=0, callbacks=[ModelCheckpoint(path)])
    with pytest.raises(ValueError, match=r"Lambda 'plus' has the code of a lambda.*custom_objects=\{'plus': ...\}"):
        load_model(path)
    other = load_model(path, custom_objects={"plus": lambda x: x + 1.0})
    np.testing.assert_array_equal(other.predict(x, verbose=0), model.predict(x, verbose=0))
    assert other.compiled


def test_a_lambda_is_written_as_keras_does_it():
    step = 2
    written = Lambda(lambda x, by=3: step * x + by).get_config()["function"]
    code = marshal.loads(base64.decodebytes(written["config"]["code"].encode()))
    assert written["class_name"] == "__lambda__" and code.co_varnames == ("x", "by")
    assert written["config"]["defaults"] == (3,) and written["config"]["closure"] == [2]
    unwritable = np.ones(2)
    assert Lambda(lambda x: x + unwritable).get_config()["function"]["config"]["closure"] is None


def test_what_is_no_function_or_reads_other_layers_is_refused():
    with pytest.raises(TypeError, match="expected a function"):
        Lambda(3)
    outside = Dense(2, name="outside")
    outside.build((None, 3))
    with pytest.raises(ValueError, match="call uses the layer 'outside'"):
        Lambda(lambda x: outside(x))(np.ones((1, 3)))
    with pytest.raises(TypeError, match="np.mean cannot be traced"):
        Lambda(lambda x: np.mean(x))(np.ones((1, 3)))


def test_a_lambda_among_layers_in_a_graph():
    x = Input((4,), dtype="float64")
    h = Concatenate(dtype="float64")([x, Lambda(lambda v: v[:, :2] * v[:, 2:], dtype="float64")(x)])
    assert check_layer(Model(x, h), data(3, 4)).passed


@pytest.mark.parametrize("operation", [ops.square, ops.relu])
def test_an_operation_is_written_by_its_name(operation, tmp_path):
    x = np.array([[-1, 2]], "float32")
    layer = Lambda(operation)
    np.testing.assert_array_equal(Lambda.from_config(layer.get_config())(x), operation(x))
    model = Sequential([Input((2,)), layer])
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(load_model(tmp_path / "model.keras").predict(x, verbose=0), operation(x))
