"""Dense: its gradients, its numbers by hand, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.gradient_check import check_layer
from scratchnet.gradient_check.catalogue import randomize
from scratchnet.layers import Dense, Input, LeakyReLU, deserialize

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
        Dense(1)(np.ones((2, 0, 3)))
    with pytest.raises(ValueError, match="unknown layer 'Nothing'"):
        deserialize({"class_name": "Nothing", "config": {}})
