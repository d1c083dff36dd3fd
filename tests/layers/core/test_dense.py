"""Dense, the layers that only rearrange or combine, and the random ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.gradient_check import check_adjoint, check_layer
from scratchnet.gradient_check.catalogue import randomize, separated
from scratchnet.layers import (
    ELU,
    Activation,
    Add,
    Concatenate,
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
    Input,
    InputLayer,
    LeakyReLU,
    ReLU,
    Reshape,
    Softmax,
    TimeDistributed,
    add,
    concatenate,
    deserialize,
    serialize,
)
from scratchnet.models import Sequential
from scratchnet.random import RandomStream, drawing_rows
from scratchnet.utils import set_random_seed

F64 = {"dtype": "float64"}
SIZES = st.integers(1, 5)


@given(
    shape=st.lists(SIZES, min_size=2, max_size=4),
    units=SIZES,
    bias=st.booleans(),
    activation=st.sampled_from(["tanh", "sigmoid", "softmax", "gelu", None]),
)
def test_dense_gradients(shape, units, bias, activation):
    rng = np.random.default_rng(0)
    layer, x = Dense(units, activation, bias, **F64), rng.standard_normal(shape)
    randomize(layer, x, rng)
    check_layer(layer, x, linear=() if activation else ("x", "kernel", "bias")).raise_if_failed()


def test_dense_by_hand_and_its_errors():
    layer = Dense(2, name="out", **F64)
    layer(np.ones((1, 3)))
    layer.set_weights([np.arange(6.0).reshape(3, 2), np.array([10.0, 20.0])])
    np.testing.assert_array_equal(layer(np.array([[1.0, 2.0, 3.0]])), [[26.0, 42.0]])
    with pytest.raises(
        ValueError, match=r'Dense "out": expected an input of shape \(N, ..., 3\), got \(2, 4\): D is 4'
    ):
        layer(np.ones((2, 4)))
    with pytest.raises(ValueError, match="weight 'kernel' has shape"):
        layer.set_weights([np.ones((2, 3)), np.ones(2)])
    with pytest.raises(ValueError, match="expected 2 weights"):
        layer.set_weights([np.ones((3, 2))])
    with pytest.raises(ValueError, match="units must be a positive integer"):
        Dense(0)
    with pytest.raises(TypeError, match="expected float64 like its parameters, got float32"):
        layer.forward(np.ones((2, 3), "float32"))
    with pytest.raises(ValueError, match="the last axis of its input must have a size"):
        Dense(2)(Input((None,)))
    assert Dense(2)(Input((None, 3))).shape == (None, None, 2)


@given(shape=st.lists(SIZES, min_size=2, max_size=4))
def test_flatten_keeps_the_order(shape):
    x = np.random.default_rng(0).standard_normal(shape)
    layer = Flatten(**F64)
    np.testing.assert_array_equal(layer(x), x.reshape(shape[0], -1))
    check_adjoint(layer, x).raise_if_failed()
    assert layer.compute_output_shape((None, *shape[1:])) == (None, int(np.prod(shape[1:])))


def test_reshape_resolves_one_unknown_axis():
    layer = Reshape((4, -1), **F64)
    x = np.random.default_rng(0).standard_normal((2, 3, 8))
    assert layer(x).shape == layer.compute_output_shape(x.shape) == (2, 4, 6)
    check_adjoint(layer, x).raise_if_failed()
    assert Reshape(6)(Input((2, 3))).shape == (None, 6)


def test_reshape_says_what_does_not_divide():
    with pytest.raises(
        ValueError,
        match=r'Reshape "r": cannot reshape 7200 values per sample into \(64, -1\): 7200 is not divisible by 64',
    ):
        Reshape((64, -1), name="r")(Input((15, 15, 32)))
    with pytest.raises(ValueError, match=r"cannot reshape 6 values per sample into \(2, 2\), which holds 4"):
        Reshape((2, 2))(np.ones((1, 6)))
    for wrong in ((-1, -1), (0, 3), (2.5,)):
        with pytest.raises(ValueError, match="target_shape"):
            Reshape(wrong)


@pytest.mark.parametrize(
    "layer",
    [ReLU(**F64), LeakyReLU(0.1, **F64), ELU(0.5, **F64), Softmax(**F64), Activation("silu", **F64)],
    ids=lambda layer: type(layer).__name__,
)
def test_activation_layers(layer):
    check_layer(layer, separated(np.random.default_rng(0), (3, 4))).raise_if_failed()
    again = deserialize(serialize(layer))
    x = np.random.default_rng(1).standard_normal((2, 3))
    np.testing.assert_array_equal(again(x), layer(x))


@pytest.mark.parametrize(
    "make", [lambda: Dropout(0.4, seed=3), lambda: GaussianNoise(0.5, seed=3)], ids=["Dropout", "GaussianNoise"]
)
def test_random_layers_do_nothing_outside_of_training(make):
    x = np.ones((4, 5), "float32")
    np.testing.assert_array_equal(make()(x), x)
    y, cache = make().forward(x)
    assert y is x and make().backward(x, cache)[0] is x
    assert not np.array_equal(make()(x, training=True), x)
    assert make().forward(x, training=True)[0].dtype == np.float32
    check_layer(make(), x.astype("float64"), training=True, linear=("x",)).raise_if_failed()


def test_dropout_keeps_the_expected_value_and_scales_what_is_left():
    x = np.ones((2000, 10))
    y = Dropout(0.25, seed=1, **F64)(x, training=True)
    assert set(np.unique(y)) == {0.0, 1 / 0.75}
    assert y.mean() == pytest.approx(1, abs=0.02)
    for wrong in (1.0, -0.1, "a", True):
        with pytest.raises(ValueError, match="rate must be a number"):
            Dropout(wrong)
    with pytest.raises(ValueError, match="stddev"):
        GaussianNoise(-1)


def test_dropout_drops_the_numbers_below_its_rate():
    layer = Dropout(0.5, **F64)
    layer.random.uniform = lambda shape: np.array([[0.0, 0.49, 0.5, 0.99]])  # of [0, 1), half are below 0.5
    np.testing.assert_array_equal(layer(np.ones((1, 4)), training=True), [[0, 0, 2, 2]])


@pytest.mark.parametrize("layer", [Dropout(0), GaussianNoise(0)], ids=["Dropout", "GaussianNoise"])
def test_at_a_rate_or_deviation_of_0_nothing_is_computed(layer):
    x = np.ones((2, 3), "float32")
    assert layer.forward(x, training=True)[0] is x


@pytest.mark.parametrize("layer", [Dropout(0.5), GaussianNoise(0.5)], ids=["Dropout", "GaussianNoise"])
def test_a_random_layer_s_stream_has_the_name_under_which_it_is_saved(layer):
    assert layer.random_streams() == {"random": layer.random}


def test_noise_is_drawn_from_the_stream_of_its_seed():
    x = np.full((3, 4), 7.0)
    normal = RandomStream(5).normal(x.shape)
    np.testing.assert_array_equal(GaussianNoise(0.5, seed=5, **F64)(x, training=True), x + 0.5 * normal)


def test_noise_has_its_standard_deviation_and_follows_the_global_seed():
    x = np.zeros((2000, 10))
    assert GaussianNoise(0.5, seed=1, **F64)(x, training=True).std() == pytest.approx(0.5, abs=0.01)
    draws = []
    for _ in range(2):
        set_random_seed(9)
        draws.append(GaussianNoise(0.5)(x, training=True))
    np.testing.assert_array_equal(*draws)


def test_dropout_within_time_distributed_does_not_depend_on_how_the_batch_is_split():
    layer, x = TimeDistributed(Dropout(0.5, seed=1)), np.ones((6, 3, 4), "float32")
    with drawing_rows(0, 0):
        whole, _ = layer.forward(x, training=True)
    with drawing_rows(0, 4):
        part, _ = layer.forward(x[4:], training=True)
    np.testing.assert_array_equal(part, whole[4:])


@given(shape=st.lists(SIZES, min_size=2, max_size=3), count=st.integers(2, 4))
def test_add_and_concatenate(shape, count):
    rng = np.random.default_rng(0)
    xs = [rng.standard_normal(shape) for _ in range(count)]
    np.testing.assert_allclose(Add(**F64)(xs), sum(xs))
    np.testing.assert_array_equal(Concatenate(**F64)(xs), np.concatenate(xs, axis=-1))
    check_layer(Add(**F64), xs, linear=("x",)).raise_if_failed()
    check_layer(Concatenate(axis=1, **F64), xs, linear=("x",)).raise_if_failed()


def test_merging_layers_refuse_shapes_that_do_not_match():
    with pytest.raises(ValueError, match=r"inputs must have the same shape, got \(2, 3\) and \(2, 1\)"):
        Add()([np.ones((2, 3)), np.ones((2, 1))])
    with pytest.raises(ValueError, match="at least two inputs"):
        Add()([np.ones((2, 3))])
    with pytest.raises(ValueError, match="agree in all axes but 1"):
        Concatenate(axis=1)([np.ones((2, 3, 2)), np.ones((2, 3, 3))])
    with pytest.raises(ValueError, match="axis must be an integer other than 0"):
        Concatenate(axis=0)


def test_merging_layers_as_functions():
    a, b = np.full((1, 2, 3), 1.0), np.full((1, 2, 3), 2.0)
    for y, expected in (
        (add([a, b], **F64), a + b),
        (concatenate([a, b], **F64), np.concatenate([a, b], axis=-1)),
        (concatenate([a, b], axis=1, **F64), np.concatenate([a, b], axis=1)),
    ):
        np.testing.assert_array_equal(y, expected)
        assert y.dtype == np.float64


def test_inputs():
    assert Input((3,), batch_size=4).shape == (4, 3)
    assert InputLayer((3,)).batch_shape == (None, 3)
    model = Sequential([InputLayer((3,)), Dense(2)])
    assert model.output_shape == (None, 2)
    for wrong in ((0,), (-1,), ("a",)):
        with pytest.raises(ValueError, match="positive integers or None"):
            Input(wrong)
    with pytest.raises(ValueError, match="either shape or batch_shape"):
        Input()


def test_layers_have_readable_names_and_refuse_bad_ones():
    from scratchnet.utils import clear_session

    clear_session()
    assert [Dense(1).name, Dense(1).name, LeakyReLU().name] == ["dense", "dense_1", "leaky_re_lu"]
    with pytest.raises(ValueError, match="without '/'"):
        Dense(1, name="a/b")
    with pytest.raises(ValueError, match="dtype 'float16' is not supported"):
        Dense(1, dtype="float16")
    assert repr(Dense(3, activation="relu", name="d")).startswith("Dense(name='d', units=3, activation='relu'")


def test_layers_take_numbers_only():
    with pytest.raises(TypeError, match="expected numbers"):
        Dense(1)([["a"]])
    with pytest.raises(ValueError, match="got an empty input"):
        Dense(1)(np.ones((0, 3)))
    with pytest.raises(ValueError, match="unknown layer class 'Nothing'"):
        deserialize({"class_name": "Nothing", "config": {}})
