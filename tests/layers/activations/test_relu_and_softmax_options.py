"""ReLU with its slopes, bounds and threshold; Softmax along any axis and with a mask."""

import numpy as np
import pytest

from scratchnet import ops
from scratchnet.gradient_check import check_layer
from scratchnet.layers import Conv1D, Dense, DepthwiseConv1D, Input, ReLU, SeparableConv1D, Softmax
from scratchnet.models import Model, Sequential
from scratchnet.training.in_training import in_training
from scratchnet.training.in_use import in_use

F64 = {"dtype": "float64"}

X = np.random.default_rng(3).standard_normal((3, 4, 5)) * 2


@pytest.mark.parametrize(
    "options",
    [{}, {"max_value": 1.5}, {"negative_slope": 0.3}, {"threshold": 0.5}, {"max_value": 2.5, "threshold": 0.4}],
)
def test_relu(options):
    layer = ReLU(dtype="float64", **options)
    top, slope, threshold = (
        options.get(k, d) for k, d in (("max_value", np.inf), ("negative_slope", 0), ("threshold", 0))
    )
    expected = np.where(X >= threshold, np.minimum(X, top), slope * (X - threshold))
    np.testing.assert_allclose(layer(X), expected)
    check_layer(layer, X).raise_if_failed()
    assert ReLU.from_config(layer.get_config())(X).shape == X.shape


@pytest.mark.parametrize("axis", [-1, 1, [1, 2], 0, [0, -1]])
def test_softmax(axis):
    layer, axes = Softmax(axis, dtype="float64"), tuple(axis) if isinstance(axis, list) else axis
    np.testing.assert_allclose(layer(X).sum(axis=axes), 1)
    check_layer(layer, X).raise_if_failed()


@pytest.mark.parametrize("axis", [3, -4, [1, 3]])
def test_softmax_refuses_an_axis_that_there_is_not(axis):
    with pytest.raises(ValueError, match="is not an axis of inputs with 3 axes"):
        Softmax(axis)(X)


def test_what_is_masked_gets_nothing():
    mask = np.arange(5) < 3
    y = Softmax(dtype="float64")(X, mask=np.broadcast_to(mask, X.shape))
    assert (y[..., 3:] == 0).all()
    np.testing.assert_allclose(y.sum(axis=-1), 1)


def test_numbers_below_0_are_refused():
    with pytest.raises(ValueError, match="negative_slope"):
        ReLU(negative_slope=-1)


def test_where_nothing_may_softmax_is_0_and_learns_nothing():
    may = np.array([[1, 1, 0, 0], [0, 0, 0, 0]])
    layer = Softmax(dtype="float64")
    y, cache = layer.forward(np.ones((2, 4)), mask=may)
    np.testing.assert_array_equal(y, [[0.5, 0.5, 0, 0], [0, 0, 0, 0]])
    dx, _ = layer.backward(np.array([[1.0, 2, 3, 4]] * 2), cache)
    np.testing.assert_array_equal(dx, [[-0.25, 0.25, 0, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize("shape", [(2, 3), (1, 1, 3)])
def test_a_mask_that_is_larger_than_x_is_refused(shape):
    with pytest.raises(ValueError, match=r"a mask of shape .* cannot be repeated to the shape of x, \(1, 3\)"):
        Softmax()(np.ones((1, 3)), mask=np.ones(shape))


@pytest.mark.parametrize("axis", [0, 1, -2, [1, 2]])
@pytest.mark.parametrize(
    "make",
    [
        lambda function: Dense(3, function, **F64),
        lambda function: Conv1D(3, 2, activation=function, **F64),
        lambda function: DepthwiseConv1D(2, activation=function, **F64),
        lambda function: SeparableConv1D(3, 2, activation=function, **F64),
        lambda function: SeparableConv1D(3, 2, activation=function, data_format="channels_first", **F64),
    ],
)
def test_as_the_activation_of_a_layer_it_goes_along_the_axes_of_what_comes_out(make, axis):
    layer, plain = make(Softmax(axis)), make(None)
    for a in (layer, plain):
        a.ensure_built(X.shape)
    layer.set_weights(plain.get_weights())
    np.testing.assert_allclose(layer(X), Softmax(axis, dtype="float64")(plain(X)))
    check_layer(layer, X).raise_if_failed()
    model = Sequential([Input(X.shape[1:], dtype="float64"), layer])
    np.testing.assert_allclose(model.predict(X, verbose=0), layer(X))
    assert model.in_one_part == (axis == 0)
    in_use(model).forward(X)
    y, _ = in_training(model).forward(X, training=True)
    np.testing.assert_allclose(y, layer(X))


def test_so_does_a_function_of_ones_own():
    weigh = Dense(1, lambda z: ops.softmax(z, axis=1), **F64)
    np.testing.assert_allclose(weigh(X).sum(axis=1), 1)
    check_layer(weigh, X).raise_if_failed()
    x, y = Input((4, 5)), np.ones((32, 1))
    model = Model(x, Dense(1)(ops.sum(x * Dense(1, activation=lambda z: ops.softmax(z, axis=1))(x), axis=1)))
    model.compile("adam", "mse")
    data = np.random.default_rng(0).standard_normal((32, 4, 5))
    losses = model.fit(data, y, epochs=3, verbose=0).history["loss"]
    assert losses[2] < losses[0]
