"""What all layers have in common: the contract, names, parameters, configurations, refusals."""

import importlib
import json

import numpy as np
import pytest

from scratchnet import activations, kernels, layers
from scratchnet.initializers import Constant
from scratchnet.layers import (
    ELU,
    LSTM,
    Activation,
    Add,
    AveragePooling2D,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
    GlobalAveragePooling2D,
    Input,
    InputLayer,
    Layer,
    LeakyReLU,
    MaxPooling2D,
    ReLU,
    Reshape,
    SimpleRNN,
    Softmax,
    TimeDistributed,
    UpSampling2D,
    deserialize,
    serialize,
)
from scratchnet.models import Model, Sequential
from scratchnet.parallel.batch import drawing_rows

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


# ---- the contract ----


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


@pytest.mark.parametrize("make", [lambda f: Dense(2, f), lambda f: Conv2D(2, 1, activation=f)], ids=["Dense", "Conv2D"])
def test_an_activation_is_written_over_what_it_is_applied_to(make):
    in_place = []

    def function(z, out=None):
        in_place.append(out is z)
        return z

    make(activations.Activation("own", function, lambda dy, y: dy, keeps="y"))(np.ones(IMAGE))
    assert in_place == [True]


def test_flatten_and_reshape_are_views():
    x = np.zeros(IMAGE, "float32")
    for layer in (Flatten(), Reshape((4, -1))):
        y, cache = layer.forward(x)
        assert np.shares_memory(y, x)
        assert np.shares_memory(layer.backward(y, cache)[0], x)


# ---- configurations ----


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


def test_merging_layers_and_models_survive_too():
    for layer in (Add(name="a"), Concatenate(axis=2, name="c")):
        assert deserialize(serialize(layer)).get_config() == layer.get_config()
    x = Input((3,))
    for model in (Model(x, Dense(2, name="out")(x), name="m"), Sequential([x, Dense(2, name="out")], name="s")):
        again = deserialize(serialize(model))
        assert type(again) is type(model) and again.get_config() == model.get_config()


def test_what_is_the_user_s_own_comes_from_custom_objects():
    class Doubled(Dense):
        pass

    square = activations.Activation("square", lambda z, out=None: z * z, lambda dy, z: 2 * z * dy, keeps="z")
    power = activations.Activation(
        "power", lambda z, out=None, p=2: z**p, lambda dy, z, p=2: dy * p * z ** (p - 1), "z", p=3
    )
    own = {"Doubled": Doubled, "square": square, "power": power}
    assert type(deserialize(serialize(Doubled(2)), own)) is Doubled
    x = Input((4, 3))
    for model in (Sequential([Doubled(2)]), Model(x, Doubled(2)(x))):
        assert type(deserialize(serialize(model), own).layers[-1]) is Doubled
    assert type(deserialize(serialize(TimeDistributed(Doubled(2))), own).layer) is Doubled
    assert deserialize(serialize(Activation(square)), own).activation is square
    cubed = deserialize(serialize(Dense(2, activation=power.with_parameters(p=4))), own)
    assert cubed.activation.parameters == {"p": 4} and cubed.activation.function is power.function
    with pytest.raises(ValueError, match="unknown layer 'Doubled'.*custom_objects"):
        deserialize(serialize(Doubled(2)))
    for wrong in ({}, None, {"class_name": "Dense"}):
        with pytest.raises(ValueError, match="'class_name' and 'config'"):
            deserialize(wrong)


# ---- parameters ----

WITH_PARAMETERS = [
    (Dense, {"units": 2}, (1, 3), 8),
    (Conv2D, {"filters": 2, "kernel_size": 1}, (1, 4, 4, 3), 8),
    (SimpleRNN, {"units": 2}, (1, 4, 3), 12),
    (LSTM, {"units": 2, "unit_forget_bias": False}, (1, 4, 3), 48),
    (TimeDistributed, {"layer": Dense(2)}, (1, 4, 3), 8),
]


@pytest.mark.parametrize(("cls", "arguments", "shape", "count"), WITH_PARAMETERS)
def test_a_layer_can_be_built_by_hand(cls, arguments, shape, count):
    layer = cls(**arguments)
    layer.build((None, *shape[1:]))
    assert layer.built and layer.count_params() == count
    kernel = layer.params["kernel"]
    layer(np.ones(shape))
    assert layer.params["kernel"] is kernel


@pytest.mark.parametrize(("cls", "arguments", "shape", "count"), WITH_PARAMETERS[:-1])
def test_parameters_start_as_their_initializers_say(cls, arguments, shape, count):
    layer = cls(**arguments, kernel_initializer="ones", bias_initializer=Constant(2.0))
    layer(np.ones(shape))
    assert (layer.params["kernel"] == 1).all() and (layer.params["bias"] == 2).all()


def test_weights_that_do_not_fit_change_nothing():
    layer = Dense(2)
    layer(np.ones((1, 3)))
    before = layer.get_weights()
    for wrong, kind in (
        ([np.zeros((3, 2)), np.zeros(3)], ValueError),
        ([np.zeros((3, 2)), np.array(["a", "b"])], TypeError),
    ):
        with pytest.raises(kind, match="weight 'bias'"):
            layer.set_weights(wrong)
        for now, then in zip(layer.weights, before):
            np.testing.assert_array_equal(now, then)


def test_weights_go_in_place_and_come_out_as_copies():
    layer = Dense(2)
    layer(np.ones((1, 3)))
    kernel = layer.params["kernel"]
    layer.get_weights()[0][...] = 7
    layer.set_weights([np.full((3, 2), 5), np.zeros(2)])
    assert layer.params["kernel"] is kernel and (kernel == 5).all() and kernel.dtype == np.float32


def test_a_frozen_layer_has_parameters_but_none_to_train():
    layer = Dense(2, trainable=False)
    layer(np.ones((1, 3)))
    assert not layer.trainable_params and len(layer.non_trainable_weights) == len(layer.weights) == 2
    layer.trainable = True
    assert len(layer.trainable_weights) == 2 and not layer.non_trainable_weights


def test_a_layer_in_several_places_of_a_graph_has_no_single_input():
    layer = Dense(2)
    a, b = Input((3,)), Input((3,))
    y = layer(a)
    assert layer.input is a and layer.output is y
    layer(b)
    with pytest.raises(ValueError, match="stands in 2 places of a graph"):
        _ = layer.output


# ---- refusals ----


@pytest.mark.parametrize(
    "make",
    [
        lambda: Dense(2),
        lambda: Conv2D(2, 1),
        ReLU,
        LeakyReLU,
        Softmax,
        lambda: Dropout(0.5),
        lambda: GaussianNoise(1.0),
        Flatten,
        UpSampling2D,
    ],
)
def test_a_layer_with_one_input_refuses_a_list(make):
    with pytest.raises(ValueError, match="expected one input"):
        make()([np.ones(IMAGE), np.ones(IMAGE)])
    with pytest.raises(ValueError, match="expected one input"):
        make()([Input(IMAGE[1:]), Input(IMAGE[1:])])


def test_symbolic_tensors_and_values_do_not_mix():
    with pytest.raises(TypeError, match=r"a mixture of symbolic tensors and values \(ndarray\)"):
        Add()([Input((3,)), np.ones((2, 3))])


def test_the_base_class_says_what_is_missing():
    class Empty(Layer):
        pass

    for use in (lambda: Empty()(np.ones((1, 2))), lambda: Empty().backward(None, None)):
        with pytest.raises(NotImplementedError, match="Empty has no (forward|backward)"):
            use()


def test_what_only_keras_has_and_what_nobody_has_is_refused_by_name():
    with pytest.raises(TypeError, match="Dense: Keras's argument 'lora_rank' is not implemented"):
        Dense(2, lora_rank=4)
    with pytest.raises(TypeError, match="Conv2D has no argument 'fliters': it takes filters, kernel_size"):
        Conv2D(2, 3, fliters=3)


@pytest.mark.parametrize("wrong", [-0.1, None, "a", True, float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused_by_the_name_of_their_argument(wrong):
    for cls, argument in ((LeakyReLU, "negative_slope"), (ELU, "alpha"), (Dropout, "rate"), (GaussianNoise, "stddev")):
        with pytest.raises(ValueError, match=f'{cls.__name__} "x": {argument} must be a'):
            cls(**{argument: wrong}, name="x")


@pytest.mark.parametrize("seed", [-1, 1.5, "a", True])
def test_seeds_that_are_none_are_refused(seed):
    for cls in (Dropout, GaussianNoise):
        with pytest.raises(ValueError, match="the seed must be an integer of at least 0"):
            cls(0.5, seed=seed)


def test_numpy_numbers_are_numbers():
    for layer in (
        Dropout(np.float32(0.5), seed=np.int64(3)),
        Reshape((np.int64(2), -1)),
        Conv2D(np.int64(2), np.int32(3)),
    ):
        assert deserialize(json.loads(json.dumps(serialize(layer)))).get_config() == layer.get_config()
    assert Input((np.int64(3),)).shape == (None, 3)


def test_inputs_say_what_is_wrong():
    assert InputLayer(input_shape=(3, 2)).batch_shape == (None, 3, 2)
    for call, message in (
        (lambda: Input((3,), batch_size=2, batch_shape=(2, 3)), "give either shape or batch_shape"),
        (lambda: Input(batch_shape=(2, 3), batch_size=5), "already says what batch_size=5 says"),
        (lambda: Input((3,), name="a/b"), "non-empty string without '/'"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    assert Input((3,), sparse=False).shape == (None, 3)
    with pytest.raises(TypeError, match="Keras's argument 'sparse' is not implemented"):
        Input((3,), sparse=True)
    with pytest.raises(TypeError, match="unexpected keyword argument 'shpae'"):
        Input(shpae=(3,))


def test_merging_layers_put_known_and_unknown_sizes_together():
    a, b = Input((None, 3)), Input((4, 3))
    for inputs in ([a, b], [b, a]):
        assert Add()(inputs).shape == (None, 4, 3)
        assert Concatenate()(inputs).shape == (None, 4, 6)
        assert Concatenate(axis=1)(inputs).shape == (None, None, 3)
        with pytest.raises(ValueError, match=r"do not match: .*\(None, 5, 3\)"):
            Add()([*inputs, Input((5, 3))])


def test_several_inputs_come_as_a_list_or_a_tuple_and_stand_in_the_graph_as_a_list():
    a, b = Input((3,)), Input((3,))
    for inputs in ([a, b], (a, b)):
        layer = Add()
        assert layer(inputs).shape == (None, 3) and layer.input == [a, b]


@pytest.mark.parametrize("name", ["TFSMLayer", "JaxLayer", "HashedCrossing"])
def test_layers_that_only_keras_has(name):
    with pytest.raises(AttributeError, match=f"scratchnet.layers has no '{name}'.*docs/keras.md"):
        getattr(layers, name)
    assert not hasattr(layers, name)
    with pytest.raises(ImportError, match=f"has no '{name}'.*docs/keras.md"):
        exec(f"from scratchnet.layers import {name}")


def test_every_exported_name_is_there():
    module = importlib.import_module("scratchnet.layers")
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        assert hasattr(module, name)
