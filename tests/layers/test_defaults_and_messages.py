"""Layers: the defaults of Keras, and what exactly is said of arguments and inputs that do not fit."""

import numpy as np
import pytest

from scratchnet import checks, layers, names
from scratchnet.graph.symbolic import is_symbolic
from scratchnet.layers import (
    Add,
    Concatenate,
    Conv2D,
    Dense,
    Flatten,
    Input,
    InputLayer,
    MaxPooling2D,
    ReLU,
    Reshape,
    TimeDistributed,
    UpSampling2D,
)
from scratchnet.structure import flatten, map_shapes, map_structure

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


def said(make, kind=ValueError):
    with pytest.raises(kind) as told:
        make()
    return str(told.value)


def test_one_or_two_positive_integers():
    assert MaxPooling2D(3).pool_size == MaxPooling2D([3, 3]).pool_size == (3, 3)
    assert MaxPooling2D((1, 2)).strides == (1, 2) and MaxPooling2D(1, strides=2).strides == (2, 2)
    for value, message in (
        ((1, 2, 3), "size must be one or two positive integers, got (1, 2, 3)"),
        ((1,), "size must be one or two positive integers, got (1,)"),
        (0, "size must be a positive integer, got 0"),
        (True, "size must be a positive integer, got True"),
        ((2, 1.5), "size must be a positive integer, got 1.5"),
    ):
        assert said(lambda value=value: UpSampling2D(value, name="u")) == f'UpSampling2D "u": {message}'
    for cls, arguments in (
        (Conv2D, {"filters": 2, "kernel_size": 3, "strides": 1, "dilation_rate": 1}),
        (MaxPooling2D, {"pool_size": 3, "strides": 1}),
    ):
        for argument in arguments:
            assert said(lambda cls=cls, given={**arguments, argument: 0}: cls(**given, name="x")) == (
                f'{cls.__name__} "x": {argument} must be a positive integer, got 0'
            )


def test_numbers_and_their_bounds():
    layer = Flatten(name="f")
    assert checks.check_number(layer, "p", 0) == 0.0 and isinstance(checks.check_number(layer, "p", 0), float)
    assert checks.check_number(layer, "p", np.float32(0.5), below=1) == 0.5
    assert said(lambda: checks.check_number(layer, "p", -1)) == (
        'Flatten "f": p must be a finite number of at least 0, got -1'
    )
    assert said(lambda: checks.check_number(layer, "p", 1, below=1)) == (
        'Flatten "f": p must be a number in [0, 1), got 1'
    )


def test_paddings_are_words_in_any_case():
    assert MaxPooling2D(padding="SAME").padding == "same" and MaxPooling2D(padding="Valid").padding == "valid"
    for wrong in ("full", None, 1):
        message = f'MaxPooling2D "m": padding must be "valid" or "same", got {wrong!r}'
        assert said(lambda wrong=wrong: MaxPooling2D(padding=wrong, name="m")) == message


def test_names():
    for wrong in ("", "a/b", 3):
        assert said(lambda wrong=wrong: Flatten(name=wrong)) == (
            f"Flatten: a name must be a non-empty string without '/', got {wrong!r}"
        )
    for cls, stem in (
        ("MaxPooling2D", "max_pooling2d"),
        ("LSTM", "lstm"),
        ("SimpleRNN", "simple_rnn"),
        ("LeakyReLU", "leaky_re_lu"),
        ("Conv2DTranspose", "conv2d_transpose"),
    ):
        assert names.snake_case(cls) == stem
    names.clear_names()
    assert [names.unique_name("a") for _ in range(3)] == ["a", "a_1", "a_2"]
    names.clear_names()
    assert names.unique_name("a") == "a"


def test_the_shape_of_a_sample_may_come_with_the_first_layer():
    assert Dense(2, input_shape=(3,)).batch_input_shape == (None, 3)
    assert Dense(2, input_shape=3).batch_input_shape == (None, 3)
    assert Dense(2, input_dim=3).batch_input_shape == (None, 3)
    assert Dense(2, input_shape=[4, 3], batch_size=5).batch_input_shape == (5, 4, 3)
    assert Dense(2).batch_input_shape is None
    assert Dense(2, trainable=0).trainable is False


def test_what_is_said_of_arguments_that_nobody_has_or_only_keras_has():
    assert said(lambda: Flatten(shape=3), TypeError) == (
        "Flatten has no argument 'shape': it takes data_format, name, trainable, dtype, input_shape, batch_size"
    )
    assert said(lambda: UpSampling2D(data_format="channels_first", name="u")) == (
        'UpSampling2D "u": data_format must be "channels_last", got \'channels_first\'; x.transpose moves the channels '
        "of x to the end"
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
        ((0, 3), "got an empty input of shape (0, 3): N is 0"),
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


def test_structures():
    nested = {"a": [1, (2, 3)], "b": 4}
    assert flatten(nested) == [1, 2, 3, 4]
    assert map_structure(lambda n: n + 1, nested) == {"a": [2, (3, 4)], "b": 5}
    assert not is_symbolic(nested) and is_symbolic([1, {"a": Input((1,))}])
    assert map_shapes(len, {"a": [(1, 2), (3,)], "b": ()}) == {"a": [2, 1], "b": 0}


def test_what_is_said_of_inputs():
    for make, message in (
        (lambda: Input(), "Input: give either shape or batch_shape"),
        (
            lambda: Input(batch_shape=(2, 3), batch_size=5),
            "Input: batch_shape (2, 3) already says what batch_size=5 says",
        ),
        (lambda: Input((2, 0)), "Input: sizes must be positive integers or None, got (None, 2, 0)"),
        (lambda: Input((True,)), "Input: sizes must be positive integers or None, got (None, True)"),
        (lambda: Input((3,), name=""), "Input: a name must be a non-empty string without '/', got ''"),
    ):
        assert said(make) == message
    for argument in ("sparse", "ragged", "tensor", "optional"):
        assert said(lambda a=argument: Input((3,), **{a: True}), TypeError) == (
            f"Input: Keras's argument {argument!r} is not implemented in scratchnet (got True)"
        )
        assert Input((3,), **{argument: None}).shape == (None, 3)
    assert Input(3).shape == (None, 3) and Input((1,)).shape == (None, 1)
    assert Input(batch_shape=(2, None)).shape == (2, None)
    assert Input((3,), dtype="float64").dtype == "float64" and Input((3,)).dtype == "float32"
    names.clear_names()
    assert [Input((1,)).name, Input((1,)).name] == ["input", "input_1"]
    layer = InputLayer((3,), batch_size=2, dtype="float64", name="i")
    assert (layer.batch_shape, layer.dtype, layer.name, layer.built) == ((2, 3), "float64", "i", True)
    assert InputLayer(batch_shape=(4, 1)).batch_shape == (4, 1)
    assert layer.forward(1) == (1, None) and layer.backward(2, None) == (2, {})


def test_what_is_said_of_layers_with_several_inputs_or_another_axis():
    a, b = np.ones((2, 3, 4)), np.ones((2, 3, 5))
    for make, message in (
        (lambda: Add(name="s")(a), 'Add "s": expected a list of at least two inputs, got (2, 3, 4)'),
        (lambda: Add(name="s")([a]), 'Add "s": expected a list of at least two inputs, got [(2, 3, 4)]'),
        (lambda: Add(name="s")([a, b]), 'Add "s": the shapes of the inputs do not match: (2, 3, 4), (2, 3, 5)'),
        (lambda: Add(name="s")([a, a[0]]), 'Add "s": the shapes of the inputs do not match: (2, 3, 4), (3, 4)'),
        (
            lambda: Concatenate(name="s")(a),
            'Concatenate "s": expected a list of at least two inputs, got (2, 3, 4)',
        ),
        (
            lambda: Concatenate(1, name="s")([a, b]),
            'Concatenate "s": inputs must agree in all axes but 1, got (2, 3, 4) and (2, 3, 5)',
        ),
        (
            lambda: Concatenate(name="s")([a, a[0]]),
            'Concatenate "s": inputs must agree in all axes but -1, got (2, 3, 4) and (3, 4)',
        ),
        (
            lambda: Concatenate(3, name="s")([a, a]),
            'Concatenate "s": axis 3 is not an axis of inputs with 3 axes, or is that of the samples',
        ),
        (
            lambda: Concatenate(-3, name="s")([a, a]),
            'Concatenate "s": axis -3 is not an axis of inputs with 3 axes, or is that of the samples',
        ),
    ):
        assert said(make) == message
    for wrong in (0, True, 1.0):
        assert said(lambda wrong=wrong: Concatenate(wrong, name="s")) == (
            f'Concatenate "s": axis must be an integer other than 0, the axis of samples, got {wrong!r}'
        )
    layer = Concatenate(1)
    y, cache = layer.forward([a, 2 * a, a[:, :1]])
    assert y.shape == (2, 7, 4) and cache == (1, [3, 6])
    assert [dx.shape for dx in layer.backward(y, cache)[0]] == [(2, 3, 4), (2, 3, 4), (2, 1, 4)]


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
    assert said(lambda: Flatten(name="f").input) == (
        'Flatten "f": has no single input and output: it stands in 0 places of a graph'
    )
