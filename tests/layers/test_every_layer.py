"""What holds for every layer: the contract, layouts, backends, configurations, Keras's defaults."""

import importlib
import json

import numpy as np
import pytest

from scratchnet import kernels, layers
from scratchnet.gradient_check import catalogue
from scratchnet.layers import (
    ELU,
    Activation,
    AveragePooling2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
    GlobalAveragePooling2D,
    Input,
    InputLayer,
    LeakyReLU,
    MaxPooling2D,
    ReLU,
    Reshape,
    Softmax,
    UpSampling2D,
    deserialize,
    serialize,
)
from scratchnet.models import Model
from scratchnet.parallel.batch import drawing_rows
from scratchnet.structure import flatten, map_structure

IMAGE = (3, 5, 4, 2)


CASES = [
    (lambda: Dense(3, "sigmoid"), (3, 2, 4)),
    (lambda: Dense(3, use_bias=False), (3, 1)),
    (lambda: Conv2D(3, (3, 2), strides=(3, 1), activation="relu"), IMAGE),
    (lambda: Conv2D(1, 4, padding="same", use_bias=False), IMAGE),
    (lambda: Conv2D(2, 2, dilation_rate=(2, 3), padding="same", activation="gelu"), IMAGE),
    (lambda: MaxPooling2D((2, 3), (3, 1), "same"), IMAGE),
    (lambda: AveragePooling2D(4, 3, "same"), IMAGE),
    (lambda: GlobalAveragePooling2D(), IMAGE),
    (lambda: UpSampling2D((3, 1)), IMAGE),
    (lambda: Flatten(), IMAGE),
    (lambda: Reshape((2, -1)), IMAGE),
    (lambda: Dropout(0.4, seed=2), IMAGE),
    (lambda: GaussianNoise(0.4, seed=2), IMAGE),
    (lambda: Activation("softmax"), IMAGE),
    (lambda: ReLU(), IMAGE),
    (lambda: LeakyReLU(0.1), IMAGE),
    (lambda: ELU(0.7), IMAGE),
    (lambda: Softmax(), IMAGE),
    (lambda: InputLayer(IMAGE[1:]), IMAGE),
]


EVERY_LAYER = pytest.mark.parametrize(("make", "shape"), CASES, ids=[type(make()).__name__ for make, _ in CASES])


BACKENDS = [name for name in kernels.BACKENDS if name != "numba" or kernels.numba_is_installed()]


def readonly(a):
    a = a.copy()
    a.flags.writeable = False
    return a


LAYOUTS = {
    "read-only": readonly,
    "Fortran": np.asfortranarray,
    "strided": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "backwards": lambda a: a[::-1].copy()[::-1],
}


def run(layer, x, dy=None, **options):
    """y, dx and the gradients, of the same random numbers each time."""
    with drawing_rows(0, 0):
        y, cache = layer.forward(x, training=True)
    dy = np.random.default_rng(1).standard_normal(y.shape).astype(y.dtype) if dy is None else dy
    dx, grads = layer.backward(dy, cache, **options)
    return y, dx, grads


@EVERY_LAYER
def test_what_comes_out_by_hand_stays_when_what_went_in_changes(make, shape):
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    layer = make()
    y = layer(x)
    kept = y.copy()
    x += 1.0
    layer(x)
    for w in layer.weights:
        w.assign_add(np.ones(w.shape))
    np.testing.assert_array_equal(y, kept)


@EVERY_LAYER
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shapes_keys_and_dtypes(make, shape, dtype):
    layer = make()
    layer.dtype = dtype
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    layer(x)
    y, dx, grads = run(layer, x)
    assert y.shape == layer.compute_output_shape(shape)
    symbolic = layer(Input(shape[1:]))
    assert symbolic.shape == (None, *y.shape[1:]) and symbolic.dtype == dtype
    assert dx.shape == x.shape and grads.keys() == layer.params.keys()
    assert {a.dtype for a in (y, dx, *grads.values())} == {np.dtype(dtype)}
    for name, gradient in grads.items():
        assert gradient.shape == layer.params[name].shape


@EVERY_LAYER
def test_nothing_given_changes_and_backward_repeats(make, shape):
    layer, rng = make(), np.random.default_rng(0)
    x = rng.standard_normal(shape).astype("float32")
    layer(x)
    y, cache = layer.forward(x, training=True)
    dy = rng.standard_normal(y.shape).astype("float32")
    kept = [a.copy() for a in (x, dy, y, *layer.weights)]
    first, again = layer.backward(dy, cache), layer.backward(dy, cache)
    for now, before in zip((x, dy, y, *layer.weights), kept):
        np.testing.assert_array_equal(now, before)
    np.testing.assert_array_equal(first[0], again[0])
    for name in layer.params:
        np.testing.assert_array_equal(first[1][name], again[1][name])


@EVERY_LAYER
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_layout_in_memory_does_not_matter(make, shape, backend):
    layer = make()
    x = np.random.default_rng(0).standard_normal(shape).astype("float32")
    kernels.set_backend(backend)
    try:
        layer(x)
        y, dx, grads = run(layer, x)
        dy = np.random.default_rng(1).standard_normal(y.shape).astype("float32")
        for change in LAYOUTS.values():
            y_again, dx_again, grads_again = run(layer, change(x), change(dy))
            np.testing.assert_allclose(y_again, y, rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(dx_again, dx, rtol=1e-5, atol=1e-6)
            for name in grads:
                np.testing.assert_allclose(grads_again[name], grads[name], rtol=1e-4, atol=1e-5)
    finally:
        kernels.set_backend(None)


@pytest.mark.parametrize(("make", "shape"), CASES[:5])  # those with parameters
def test_without_dx_the_gradients_are_the_same(make, shape):
    layer = make()
    x = np.random.default_rng(0).standard_normal(shape).astype("float32")
    layer(x)
    _, _, grads = run(layer, x)
    assert grads
    _, dx, same = run(layer, x, needs_dx=False)
    assert dx is None
    for name in grads:
        np.testing.assert_allclose(same[name], grads[name], rtol=1e-5, atol=1e-6)


@EVERY_LAYER
def test_a_configuration_survives_json_and_makes_the_same_layer(make, shape):
    layer = make()
    x = np.random.default_rng(0).standard_normal(shape).astype("float32")
    again = deserialize(json.loads(json.dumps(serialize(layer))))
    assert type(again) is type(layer) and json.dumps(again.get_config()) == json.dumps(layer.get_config())
    layer(x), again(x)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(run(again, x)[0], run(layer, x)[0])
    assert layer.name in repr(layer)


def test_every_exported_name_is_there():
    module = importlib.import_module("scratchnet.layers")
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        assert hasattr(module, name)


GLOROT, ZEROS, ORTHOGONAL = "GlorotUniform", "Zeros", "Orthogonal"


WEIGHTS = {"use_bias": True, "kernel_initializer": GLOROT, "bias_initializer": ZEROS}


POOLING = {"pool_size": (2, 2), "strides": (2, 2), "padding": "valid", "data_format": "channels_last"}


RECURRENT = {
    **WEIGHTS,
    "units": 3,
    "activation": "tanh",
    "recurrent_initializer": ORTHOGONAL,
    "return_sequences": False,
    "return_state": False,
    "go_backwards": False,
    **{f"{of}_{kind}": None for of in ("kernel", "recurrent", "bias") for kind in ("regularizer", "constraint")},
    "dropout": 0.0,
    "recurrent_dropout": 0.0,
    "seed": None,
    "stateful": False,
    "unroll": False,
    "zero_output_for_mask": False,
}


OF_WEIGHTS = ("kernel_regularizer", "bias_regularizer", "kernel_constraint", "bias_constraint")


DEFAULTS = [
    ("Dense", (3,), {"units": 3, "activation": "linear", **WEIGHTS, **dict.fromkeys(OF_WEIGHTS)}),
    (
        "Conv2D",
        (3, 2),
        {
            "filters": 3,
            "kernel_size": (2, 2),
            "strides": (1, 1),
            "padding": "valid",
            "data_format": "channels_last",
            "dilation_rate": (1, 1),
            "groups": 1,
            "activation": "linear",
            **dict.fromkeys(("kernel_regularizer", "bias_regularizer", "kernel_constraint", "bias_constraint")),
            **WEIGHTS,
        },
    ),
    ("SimpleRNN", (3,), RECURRENT),
    ("LSTM", (3,), {**RECURRENT, "recurrent_activation": "sigmoid", "unit_forget_bias": True}),
    ("GRU", (3,), {**RECURRENT, "recurrent_activation": "sigmoid", "reset_after": True}),
    ("MaxPooling2D", (), POOLING),
    ("AveragePooling2D", (2,), POOLING),
    ("GlobalAveragePooling2D", (), {"data_format": "channels_last", "keepdims": False}),
    ("UpSampling2D", (), {"size": (2, 2), "data_format": "channels_last", "interpolation": "nearest"}),
    ("Flatten", (), {"data_format": "channels_last"}),
    ("Reshape", ((2, -1),), {"target_shape": (2, -1)}),
    ("RepeatVector", (4,), {"n": 4}),
    ("Dropout", (0.5,), {"rate": 0.5, "noise_shape": None, "seed": None}),
    ("GaussianNoise", (0.5,), {"stddev": 0.5, "seed": None}),
    ("ReLU", (), {"max_value": None, "negative_slope": 0.0, "threshold": 0.0}),
    ("LeakyReLU", (), {"negative_slope": 0.3}),
    ("ELU", (), {"alpha": 1.0}),
    ("Add", (), {}),
    ("Concatenate", (), {"axis": -1}),
]


@pytest.mark.parametrize(("name", "arguments", "expected"), DEFAULTS, ids=[name for name, *_ in DEFAULTS])
def test_the_defaults_are_keras_s(name, arguments, expected):
    settings = getattr(layers, name)(*arguments, name="x").get_config()
    found = {k: v["class_name"] if isinstance(v, dict) and "class_name" in v else v for k, v in settings.items()}
    assert found == {"name": "x", "trainable": True, "dtype": "float32", **expected}


def test_of_no_samples_every_layer_makes_none():
    for layer, x, options in catalogue.layers.cases(np.random.default_rng(0)):
        args, kwargs = layer.call_arguments(map_structure(lambda a: a[:0], x))
        found = flatten(layer(*args, **kwargs))
        expected = flatten(layer.forward(x, **{k: v for k, v in options.items() if k in ("training", "mask")})[0])
        assert [(y.shape, y.dtype) for y in found] == [((0, *y.shape[1:]), y.dtype) for y in expected], layer


def test_of_no_samples_a_model_makes_none_and_a_layer_can_be_built():
    x = Input((5, 4, 2))
    model = Model(x, [Dense(3)(Flatten()(MaxPooling2D()(Conv2D(3, 2, activation="relu")(x)))), ReLU()(x)])
    nothing = np.zeros((0, 5, 4, 2))
    for training in (None, False, True):
        first, second = model(nothing, training=training)
        assert first.shape == (0, 3) and second.shape == (0, 5, 4, 2) and first.dtype == np.float32
    dense = Dense(2)
    assert dense(np.zeros((0, 3))).shape == (0, 2) and dense(np.ones((4, 3))).shape == (4, 2)
    normalization = layers.BatchNormalization()
    normalization(np.zeros((0, 3)), training=True)
    assert (normalization.moving_mean.array == 0).all()
    with pytest.raises(ValueError, match=r"expected an input of shape \(N, ..., 3\)"):
        dense(np.zeros((0, 4)))
    with pytest.raises(ValueError, match="got an empty input of shape"):
        dense(np.zeros((2, 0, 3)))
