"""TimeDistributed: the same as a Python loop over the steps, forward and backward."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import layers
from scratchnet.gradient_check import check_layer, check_parts
from scratchnet.gradient_check.differences import numeric_gradient, relative_error
from scratchnet.graph.symbolic import KerasTensor
from scratchnet.layers.base import Layer
from scratchnet.layers.core.dense import Dense
from scratchnet.layers.core.input_layer import Input
from scratchnet.layers.normalization.batch_normalization import BatchNormalization
from scratchnet.layers.reshaping.repeat_vector import RepeatVector
from scratchnet.layers.rnn.lstm import LSTM
from scratchnet.layers.rnn.time_distributed import TimeDistributed
from scratchnet.models import Model


def inner_layers():
    """A layer over vectors, one that changes the rank, one over sequences of its own, one without parameters."""
    return {
        "dense": (Dense(4, activation="sigmoid", dtype="float64"), (3,)),
        "lstm": (LSTM(2, dtype="float64"), (3, 2)),
        "dense over two axes": (Dense(2, dtype="float64"), (2, 3)),
        "repeat": (RepeatVector(2), (3,)),
        "nested": (TimeDistributed(Dense(2, activation="tanh", dtype="float64")), (2, 3)),
    }


def test_a_layer_in_which_samples_meet_is_refused():
    for layer in (layers.Softmax(axis=0), layers.UnitNormalization(axis=[0, 1])):
        with pytest.raises(ValueError, match="samples meet in the layer .* which would take all steps for samples"):
            TimeDistributed(layer)(np.ones((2, 3, 4)))


@given(kind=st.sampled_from(list(inner_layers())), N=st.integers(1, 3), T=st.integers(1, 4), seed=st.integers(0, 1000))
def test_is_a_loop_over_the_steps(kind, N, T, seed):
    rng = np.random.default_rng(seed)
    inner, shape = inner_layers()[kind]
    layer = TimeDistributed(inner)
    x = rng.normal(size=(N, T, *shape))
    layer.ensure_built(x.shape)
    y, cache = layer.forward(x)
    steps = [inner.forward(x[:, t]) for t in range(T)]
    np.testing.assert_allclose(y, np.stack([step[0] for step in steps], axis=1), rtol=0, atol=1e-14)
    assert y.shape == layer.compute_output_shape(x.shape)
    dy = rng.normal(size=y.shape)
    dx, grads = layer.backward(dy, cache)
    parts = [inner.backward(dy[:, t], steps[t][1]) for t in range(T)]
    np.testing.assert_allclose(dx, np.stack([part[0] for part in parts], axis=1), rtol=0, atol=1e-14)
    assert list(grads) == list(layer.params)
    for name in grads:
        np.testing.assert_allclose(grads[name], sum(part[1][name] for part in parts), rtol=0, atol=1e-12)


def test_gradients():
    rng = np.random.default_rng(0)
    layer = TimeDistributed(Dense(4, activation="sigmoid", dtype="float64"))
    x, dy = rng.normal(size=(2, 3, 5)), rng.normal(size=(2, 3, 4))
    layer.ensure_built(x.shape)
    dx, grads = layer.backward(dy, layer.forward(x)[1])

    def loss():
        return np.sum(layer.forward(x)[0] * dy)

    for value, analytic in ((x, dx), *((layer.params[name], grads[name]) for name in grads)):
        assert relative_error(numeric_gradient(loss, value), analytic) < 1e-7


def test_backward_twice_is_the_same_and_nothing_given_changes():
    rng = np.random.default_rng(1)
    layer = TimeDistributed(Dense(4, activation="tanh"))
    x, dy = rng.normal(size=(2, 3, 5)).astype(np.float32), rng.normal(size=(2, 3, 4)).astype(np.float32)
    layer.ensure_built(x.shape)
    kept_x, kept_dy = x.copy(), dy.copy()
    x.flags.writeable = dy.flags.writeable = False
    y, cache = layer.forward(x)
    (dx, grads), (dx2, grads2) = layer.backward(dy, cache), layer.backward(dy, cache)
    assert y.dtype == dx.dtype == grads["kernel"].dtype == np.float32
    for once, again in ((dx, dx2), (x, kept_x), (dy, kept_dy), *((grads[name], grads2[name]) for name in grads)):
        np.testing.assert_array_equal(again, once)
    assert layer.backward(dy, cache, needs_dx=False)[0] is None


def test_the_layer_is_told_when_nobody_asks_for_dx():
    class Told(Dense):
        def backward(self, dy, cache, needs_dx=True):
            told.append(needs_dx)
            return super().backward(dy, cache, needs_dx)

    told, layer, x = [], TimeDistributed(Told(4)), np.ones((2, 3, 5), np.float32)
    layer.ensure_built(x.shape)
    y, cache = layer.forward(x)
    layer.backward(y, cache, needs_dx=False)
    layer.backward(y, cache)
    assert told == [False, True]


@pytest.mark.parametrize("layout", ["time first in memory", "repeated by stride", "fortran"])
def test_memory_layout_of_the_input_does_not_matter(layout):
    x = np.random.default_rng(2).normal(size=(2, 3, 5))
    if layout == "repeated by stride":
        odd = np.broadcast_to(x[:, :1], x.shape)
    elif layout == "fortran":
        odd = np.asfortranarray(x)
    else:
        odd = np.ascontiguousarray(x.swapaxes(0, 1)).swapaxes(0, 1)
    layer = TimeDistributed(Dense(4, dtype="float64"), dtype="float64")
    np.testing.assert_array_equal(layer(odd), layer(odd.copy(order="C")))


def test_parameters_are_those_of_the_layer():
    inner = Dense(4)
    layer = TimeDistributed(inner)
    layer.ensure_built((None, 3, 5))
    assert layer.params == inner.params and layer.weights[0].array is inner.params["kernel"]
    assert list(layer.trainable_params) == ["kernel", "bias"] and layer.count_params() == 5 * 4 + 4
    inner.trainable = False
    assert layer.trainable_params == {} and len(layer.non_trainable_weights) == 2
    inner.trainable, layer.trainable = True, False
    assert layer.trainable_params == {}


def test_random_streams_are_those_of_the_layer():
    class Noisy(Layer):
        def random_streams(self):
            return {"noise": "a stream"}

    assert TimeDistributed(Noisy()).random_streams() == {"noise": "a stream"}


def test_training_is_passed_on():
    class Mode(Layer):
        def forward(self, x, training=False):
            return x + training, None

    layer = TimeDistributed(Mode(dtype="float64"))
    x = np.zeros((2, 3, 4))
    assert layer(x, training=True).all() and not layer(x).any()
    assert layer.forward(x, training=True)[0].all() and not layer.forward(x)[0].any()


@pytest.mark.parametrize("shape", [(None, 7, 5), (3, None, 5), (None, None, 5)])
def test_batch_and_time_may_be_unknown(shape):
    y = TimeDistributed(Dense(4))(KerasTensor(shape, "float32", "x"))
    assert y.shape == (*shape[:2], 4)


def test_configuration_contains_the_layer():
    layer = TimeDistributed(Dense(4, activation="relu", name="inner"), name="outer")
    again = TimeDistributed.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert isinstance(again.layer, Dense) and again.layer.units == 4 and again.layer.name == "inner"


def test_errors_name_the_layer():
    with pytest.raises(TypeError, match='TimeDistributed "mine": expected a layer .*got 4'):
        TimeDistributed(4, name="mine")
    with pytest.raises(TypeError, match="expected a layer"):
        TimeDistributed(Dense)
    layer = TimeDistributed(Dense(4), name="mine")
    with pytest.raises(ValueError, match=r'TimeDistributed "mine": .*at least three axes, got \(2, 3\)'):
        layer(np.zeros((2, 3)))
    layer(np.zeros((2, 3, 5)))
    with pytest.raises(ValueError, match='Dense "dense.*": .*D is 6'):
        layer(np.zeros((2, 3, 6)))
    with pytest.raises(ValueError, match="expected one input"):
        layer([np.zeros((2, 3, 5)), np.zeros((2, 3, 5))])
    with pytest.raises(ValueError, match="expected a layer with one output"):
        TimeDistributed(LSTM(2, return_state=True))(np.zeros((2, 3, 4, 5)))


def test_masks_of_steps_go_to_a_layer_that_takes_them():
    x, mask = np.ones((2, 3, 4)), np.array([[1, 0, 1], [0, 1, 1]], bool)
    sequences = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    of_steps = np.random.default_rng(1).random((2, 3, 4)) < 0.6
    lstm = layers.LSTM(2, dtype="float64")
    y = layers.TimeDistributed(lstm, dtype="float64")(sequences, mask=of_steps)
    np.testing.assert_allclose(y[1, 2], lstm(sequences[1, 2:], mask=of_steps[1, 2:])[0], rtol=1e-12)
    dense = layers.TimeDistributed(layers.Dense(5))
    assert dense(x, mask=mask)._keras_mask is not None
    with pytest.raises(ValueError, match=r"a mask of shape \(2, 4\) does not fit an input of shape \(2, 3, 4\)"):
        dense(x, mask=np.ones((2, 4), bool))


def normalizing(kind):
    if kind == "BatchNormalization":
        return BatchNormalization(momentum=0.5, dtype="float64")
    x = Input((3,), dtype="float64")
    return Model(x, BatchNormalization(momentum=0.5, dtype="float64")(Dense(2, dtype="float64")(x)), dtype="float64")


@pytest.mark.parametrize("kind", ["BatchNormalization", "Model"])
def test_in_training_each_step_is_normalized_by_itself_and_remembered_after_the_one_before(kind):
    x, inner = np.random.default_rng(0).normal(2, 3, (6, 4, 3)), normalizing(kind)
    layer = TimeDistributed(inner, dtype="float64")
    layer.ensure_built(x.shape)
    before = inner.get_weights()
    y = layer(x, training=True)
    found = inner.get_weights()
    inner.set_weights(before)
    np.testing.assert_array_equal(y, np.stack([inner(x[:, t], training=True) for t in range(4)], axis=1))
    for have, want in zip(found, inner.get_weights()):
        np.testing.assert_array_equal(have, want)
    np.testing.assert_allclose(layer(x), np.stack([inner(x[:, t]) for t in range(4)], axis=1))  # in use they are alike


@pytest.mark.parametrize("kind", ["BatchNormalization", "Model"])
def test_gradients_of_what_is_normalized_step_by_step(kind):
    x = np.random.default_rng(1).normal(size=(5, 3, 3))
    for check in (check_layer, check_parts):
        check(TimeDistributed(normalizing(kind), dtype="float64"), x, training=True).raise_if_failed()


def test_a_mask_says_which_samples_of_a_step_are_normalized():
    x, mask = np.random.default_rng(2).normal(size=(5, 3, 2)), np.tri(5, 3, dtype=bool)
    layer, alone = (
        TimeDistributed(BatchNormalization(dtype="float64"), dtype="float64"),
        BatchNormalization(dtype="float64"),
    )
    y = layer(x, training=True, mask=mask)
    for t in range(3):
        np.testing.assert_array_equal(y[:, t], alone(x[:, t], training=True, mask=mask[:, t]))


def test_a_frozen_layer_is_computed_at_once():
    layer = TimeDistributed(BatchNormalization(dtype="float64"), dtype="float64")
    x = np.random.default_rng(3).normal(size=(5, 3, 2))
    layer(x)
    layer.trainable = False
    np.testing.assert_array_equal(layer(x, training=True), layer(x))
    assert layer.forward(x, training=True)[1].steps == (5, 3)


def test_tokens_become_vectors_of_floating_point_numbers():
    y = TimeDistributed(layers.Embedding(6, 3))(Input((4, 5), dtype="int32"))
    assert (y.shape, y.dtype) == ((None, 4, 5, 3), "float32")
    assert (
        TimeDistributed(RepeatVector(2))(Input((4, 5), dtype="int32")).dtype
        == RepeatVector(2)(Input((5,), dtype="int32")).dtype
    )
