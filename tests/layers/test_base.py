"""What every layer has from its base: shapes, parameters, places in a graph, and what is said of what does not fit."""

import json

import numpy as np
import pytest

from scratchnet import DTypePolicy, activations, config, layers, metrics
from scratchnet.initializers import Constant
from scratchnet.layers import (
    ELU,
    GRU,
    LSTM,
    Activation,
    Add,
    Attention,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
    GlobalAveragePooling1D,
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

IMAGE = (3, 5, 4, 2)


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


def test_a_weight_has_one_handle():
    layer = Dense(2)
    layer(np.ones((1, 3)))
    assert layer.weights[0] is layer.kernel and layer.trainable_weights[1] is layer.bias
    assert layer.weights == [layer.kernel, layer.bias]  # a list compares with `is` first


def test_a_frozen_layer_has_parameters_but_none_to_train():
    layer = Dense(2, trainable=False)
    layer(np.ones((1, 3)))
    assert not layer.trainable_params and len(layer.non_trainable_weights) == len(layer.weights) == 2
    layer.trainable = True
    assert len(layer.trainable_weights) == 2 and not layer.non_trainable_weights


def test_input_and_output_are_those_of_the_first_use():
    layer = Dense(2)
    a, b = Input((3,)), Input((3,))
    y = layer(a)
    layer(b)
    assert layer.input is a and layer.output is y


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


def test_an_array_is_no_mask_of_a_symbolic_tensor():
    sequences = Input((3, 4))
    for use in (
        lambda mask: GRU(2)(sequences, mask=mask),
        lambda mask: Attention()([sequences] * 2, mask=[None, mask]),
    ):
        with pytest.raises(TypeError, match=r"a mixture of symbolic tensors and values \(ndarray\)"):
            use(np.ones((2, 3), bool))


def test_within_call_an_array_may_be_a_mask():
    mask = np.array([[True, True, False]])

    class Halved(Layer):
        def __init__(self):
            super().__init__()
            self.mean = GlobalAveragePooling1D()

        def call(self, x):
            return self.mean(x, mask=mask)

    x = np.arange(12, dtype="float32").reshape(1, 3, 4)
    np.testing.assert_allclose(Halved()(x), x[:, :2].mean(1))


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
        if (cls, wrong) == (ELU, -0.1):
            continue
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


@pytest.mark.parametrize("name", ["TFSMLayer", "JaxLayer", "TorchModuleWrapper"])
def test_layers_that_only_keras_has(name):
    with pytest.raises(AttributeError, match=f"scratchnet.layers has no '{name}'.*docs/keras.md"):
        getattr(layers, name)
    assert not hasattr(layers, name)
    with pytest.raises(ImportError, match=f"has no '{name}'.*docs/keras.md"):
        exec(f"from scratchnet.layers import {name}")


def said(make, kind=ValueError):
    with pytest.raises(kind) as told:
        make()
    return str(told.value)


def test_the_shape_of_a_sample_may_come_with_the_first_layer():
    assert Dense(2, input_shape=(3,)).batch_input_shape == (None, 3)
    assert Dense(2, input_shape=3).batch_input_shape == (None, 3)
    assert Dense(2, input_dim=3).batch_input_shape == (None, 3)
    assert Dense(2, input_shape=[4, 3], batch_size=5).batch_input_shape == (5, 4, 3)
    assert Dense(2).batch_input_shape is None
    assert Dense(2, trainable=False).trainable is False


def test_what_is_said_of_arguments_that_nobody_has_or_only_keras_has():
    assert said(lambda: Flatten(shape=3), TypeError) == (
        "Flatten has no argument 'shape': it takes data_format, activity_regularizer, name, trainable, dtype, "
        "input_shape, batch_size"
    )
    assert said(lambda: UpSampling2D(data_format="NCHW", name="u")) == (
        'UpSampling2D "u": data_format must be "channels_last" or "channels_first", got \'NCHW\''
    )
    assert said(lambda: layers.Dens, AttributeError).startswith("scratchnet.layers has no 'Dens'; closest: Dense")
    with pytest.raises(TypeError, match="InputLayer has no argument 'shpae'"):
        InputLayer((3,), shpae=(3,))
    Flatten(data_format=None, activity_regularizer=None, autocast=False)


def test_what_is_said_of_shapes_that_do_not_fit():
    layer = Dense(2, name="d")
    assert said(lambda: layer.forward(np.ones((1, 3)))) == (
        'Dense "d": called before it was built: call the layer on data, or build(input_shape), first'
    )
    assert said(layer.count_params) == (
        'Dense "d": has no parameters before it is built: call it on data, or build(input_shape), first'
    )
    layer(np.ones((1, 3)))
    assert layer.count_params() == 8
    for shape, message in (
        ((1, 4), "expected an input of shape (N, ..., 3), got (1, 4): D is 4"),
        ((3,), "expected an input of shape (N, ..., 3), got 1 axes: (3,)"),
        ((1, 0, 3), "got an empty input of shape (1, 0, 3)"),
    ):
        assert said(lambda shape=shape: layer(np.ones(shape))) == f'Dense "d": {message}'
    assert layer(np.ones((1, 1, 3))).shape == (1, 1, 2)
    assert said(lambda: layer([np.ones((1, 3))] * 2)) == (
        'Dense "d": expected one input of shape (N, ..., 3), got 2 inputs'
    )
    assert said(lambda: layer([["a"]], 0), TypeError) == 'Dense "d": expected numbers, got an array of dtype <U1'
    assert said(lambda: layer.forward(np.ones((1, 3))), TypeError) == (
        'Dense "d": expected float32 like its parameters, got float64'
    )
    assert said(lambda: Dense(2, name="e")(Input((None,)))) == (
        'Dense "e": the last axis of its input must have a size, got (None, None)'
    )
    image = Conv2D(2, 3, name="c")
    assert said(lambda: image(np.ones((1, 2, 5, 1)))) == (
        'Conv2D "c": an image of shape (1, 2, 5, 1) is smaller than the kernel (3, 3)'
    )
    assert said(lambda: image(Input((5, 5, None)))) == (
        'Conv2D "c": the number of channels must be known, got (None, 5, 5, None)'
    )
    assert said(lambda: Conv2D(2, 3, strides=2, dilation_rate=2, name="c")) == (
        'Conv2D "c": strides (2, 2) and dilation_rate (2, 2) cannot both be above 1'
    )
    assert Conv2D(2, 3, strides=(2, 1)).dilation_rate == (1, 1) and Conv2D(2, 3, dilation_rate=(1, 2)).filters == 2
    assert said(lambda: MaxPooling2D(3, name="p")(np.ones((1, 5, 2, 1)))) == (
        'MaxPooling2D "p": an image of shape (1, 5, 2, 1) is smaller than the window (3, 3)'
    )


AXES = [
    ("Dense", (2,), (1, 3), "(N, ..., 3)", "D"),
    ("Conv2D", (2, 1), (1, 4, 4, 3), "(N, H, W, 3)", "C"),
    ("SimpleRNN", (2,), (1, 4, 3), "(N, T, 3)", "D"),
    ("LSTM", (2,), (1, 4, 3), "(N, T, 3)", "D"),
    ("MaxPooling2D", (), (1, 4, 4, 3), "(N, H, W, C)", None),
    ("GlobalAveragePooling2D", (), (1, 4, 4, 3), "(N, H, W, C)", None),
    ("UpSampling2D", (), (1, 4, 4, 3), "(N, H, W, C)", None),
    ("RepeatVector", (2,), (1, 3), "(N, D)", None),
]


@pytest.mark.parametrize(("name", "arguments", "shape", "axes", "fixed"), AXES, ids=[name for name, *_ in AXES])
def test_axes_have_the_letters_of_the_documentation(name, arguments, shape, axes, fixed):
    """Both with a graph, before there are values, and in forward, if that is called by itself."""
    layer = getattr(layers, name)(*arguments, name="x")
    layer(np.ones(shape))
    start = f'{name} "x": expected an input of shape {axes}, got'
    for check in (layer.compute_output_shape, lambda shape: layer.forward(np.ones(shape, "float32"))):
        assert said(lambda check=check: check((7,))) == f"{start} 1 axes: (7,)"
        if fixed is not None:
            wrong = (*shape[:-1], 5)
            assert said(lambda check=check, wrong=wrong: check(wrong)) == f"{start} {wrong}: {fixed} is 5"


def test_what_is_said_of_weights_that_do_not_fit():
    layer = Dense(2, name="d")
    layer(np.ones((1, 3)))
    kernel, bias = layer.get_weights()
    for weights, kind, message in (
        ([kernel], ValueError, "expected 2 weights (kernel, bias), got 1"),
        ([bias, kernel], ValueError, "weight 'kernel' has shape (3, 2), got (2,)"),
        ([kernel, np.array(["a", "b"])], TypeError, "weight 'bias' must be numbers, got dtype <U1"),
    ):
        assert said(lambda weights=weights: layer.set_weights(weights), kind) == f'Dense "d": {message}'
    layer.set_weights([np.ones((3, 2), bool), np.ones(2, "uint8")])
    np.testing.assert_array_equal(layer.params["bias"], 1)


def test_what_is_printed():
    assert repr(Dense(3, name="d")) == "Dense(name='d', units=3)"
    assert repr(Dense(3, "relu", False, "zeros", name="d")) == (
        "Dense(name='d', units=3, activation='relu', use_bias=False, kernel_initializer=Zeros())"
    )
    assert repr(Flatten(name="f")) == "Flatten(name='f')"
    assert repr(ReLU(name="r")) == "ReLU(name='r')"
    tensor = Input((3, None), name="x", dtype="float64")
    assert repr(tensor) == "<KerasTensor shape=(None, 3, None), dtype=float64, name=x>"
    assert tensor.ndim == 3 and tensor.node is None


def test_what_is_said_of_shapes_to_flatten_reshape_or_distribute():
    a = np.ones((2, 6))
    for make, message in (
        (lambda: Flatten(name="f")([a, a]), 'Flatten "f": expected one input with a batch axis, got [(2, 6), (2, 6)]'),
        (lambda: Flatten(name="f")(1.0), 'Flatten "f": expected one input with a batch axis, got ()'),
        (
            lambda: Reshape((2, 3), name="r")([a, a]),
            'Reshape "r": expected one input with a batch axis, got [(2, 6), (2, 6)]',
        ),
        (lambda: Reshape((-1, -1), name="r"), 'Reshape "r": at most one axis of target_shape can be -1, got (-1, -1)'),
        (lambda: Reshape(0, name="r"), 'Reshape "r": target_shape must be positive integers, or -1 once, got 0'),
        (
            lambda: Reshape((True,), name="r"),
            'Reshape "r": target_shape must be positive integers, or -1 once, got (True,)',
        ),
        (
            lambda: Reshape((2, 2), name="r")(a),
            'Reshape "r": cannot reshape 6 values per sample into (2, 2), which holds 4',
        ),
        (
            lambda: TimeDistributed(Flatten(), name="t")(a),
            'TimeDistributed "t": expected an input of shape (N, T, ...) with at least three axes, got (2, 6)',
        ),
        (
            lambda: TimeDistributed(Flatten(), name="t")([a, a]),
            'TimeDistributed "t": expected one input of shape (N, T, ...), got 2 inputs',
        ),
    ):
        assert said(make) == message
    assert Reshape((2, -1))(Input((None, 3), batch_size=4)).shape == (4, 2, None)
    assert Reshape((1, 6))(a).shape == (2, 1, 6)
    assert Flatten()(Input((None, 3))).shape == (None, None)
    assert said(lambda: TimeDistributed(3, name="t"), TypeError) == (
        'TimeDistributed "t": expected a layer (an instance, such as Dense(10)), got 3'
    )


def test_a_layer_in_no_place_of_a_graph_has_no_input():
    layer = Flatten(name="f")
    assert said(lambda: layer.input, AttributeError) == (
        'Flatten "f": has no symbolic input and output: it stands in no graph'
    )
    model = Sequential([layer])
    for thing in (layer, model):
        assert not any(hasattr(thing, name) for name in ("input", "output", "input_shape", "output_shape"))
    model(np.ones((1, 2, 3)))
    assert model.input_shape == (None, 2, 3) and model.output_shape == (None, 6) and model.input.shape == (None, 2, 3)


@pytest.mark.parametrize("trainable", ["yes", 1, None])
def test_trainable_is_true_or_false(trainable):
    with pytest.raises(ValueError, match=f'Dense "d": trainable must be True or False, got {trainable!r}'):
        Dense(2, trainable=trainable, name="d")


def test_dtypes_under_keras_s_names():
    layer = Dense(2, dtype=DTypePolicy("float64"))
    assert layer.compute_dtype == layer.variable_dtype == layer.dtype_policy.name == "float64"
    assert layer.dtype_policy == "float64" and repr(layer.dtype_policy) == '<DTypePolicy "float64">'
    assert DTypePolicy.from_config(layer.dtype_policy.get_config()) == layer.dtype_policy
    assert DTypePolicy().compute_dtype == config.dtype_policy() == "float32"
    layer.dtype_policy = "float32"
    assert layer(np.ones((1, 3))).dtype == np.float32
    with pytest.raises(ValueError, match="has weights already, whose dtype does not change"):
        layer.dtype_policy = DTypePolicy("float64")
    with pytest.raises(ValueError, match="dtype 'mixed_float16' is not supported"):
        DTypePolicy("mixed_float16")


def test_metrics_are_found_in_attributes_and_in_layers_within():
    class Measured(Layer):
        def __init__(self, inner):
            super().__init__()
            self.metrics_here = [metrics.MeanSquaredError(name="mine")]
            self.inner = inner

        def call(self, x):
            return self.inner(x)

    layer = Measured(Measured(Dense(3)))
    assert [m.name for m in layer.metrics] == ["mine", "mine"] and len(layer.metrics_variables) == 4
    assert Dense(2).metrics == []


def test_what_a_call_would_return_is_told_without_a_graph():
    x = Input((3, 4))
    layer = Dense(2)
    spec = layer.compute_output_spec(x)
    assert spec.shape == (None, 3, 2) and spec.dtype == "float32" and spec.node is None and not layer.inbound_nodes

    class Shaped(Layer):
        def __init__(self, shapes):
            super().__init__()
            self.shapes = shapes

        def call(self, x):
            raise RuntimeError("never called")

        def compute_output_shape(self, input_shape):
            return self.shapes(input_shape)

    pair = Shaped(lambda shape: (shape, (shape, shape))).compute_output_spec(x)
    assert pair[0].shape == pair[1][1].shape == (None, 3, 4) and isinstance(pair, tuple)
    named = Shaped(lambda shape: {"a": shape, "b": [shape]}).compute_output_spec(x)
    assert named["a"].shape == named["b"][0].shape == (None, 3, 4)


def test_weights_start_as_in_keras():
    layer = Layer()
    assert layer.add_weight(shape=(50,), name="w").numpy().std() > 0  # Glorot's
    assert not layer.add_weight(shape=(3, 2), dtype="int32", trainable=False, name="n").numpy().any()


def test_add_variable_is_add_weight():
    layer = layers.Layer()
    w = layer.add_variable((2,), "ones", trainable=False, name="seen")
    assert w.numpy().tolist() == [1, 1] and layer.non_trainable_weights == [w] and w.name == "seen"
