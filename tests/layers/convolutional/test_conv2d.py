"""Conv2D: gradients for whatever sizes, numbers by hand, and what does not fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import activations
from scratchnet.gradient_check import check_adjoint, check_layer
from scratchnet.gradient_check.catalogue import randomize
from scratchnet.layers import Conv2D

F64 = {"dtype": "float64"}


SIZES, PADDINGS = st.integers(1, 6), st.sampled_from(["valid", "same"])


@st.composite
def convolutions(draw):
    """A Conv2D and an image that it fits."""
    padding = draw(PADDINGS)
    kernel = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    dilated = draw(st.booleans())
    options = (
        {"dilation_rate": (draw(st.integers(1, 2)), 2)}
        if dilated
        else {"strides": (draw(st.integers(1, 5)), draw(st.integers(1, 3)))}
    )
    smallest = [1, 1] if padding == "same" else [2 * (k - 1) + 1 for k in kernel]
    size = [draw(st.integers(s, s + 4)) for s in smallest]
    groups = draw(st.integers(1, 3))
    options |= {"padding": padding, "groups": groups, "use_bias": draw(st.booleans())}
    layer = Conv2D(draw(st.integers(1, 4)) * groups, kernel, **options, **F64)
    return layer, (draw(st.integers(1, 3)), *size, draw(st.integers(1, 5)) * groups)


@given(case=convolutions(), seed=st.integers(0, 100))
def test_convolution_gradients(case, seed):
    layer, shape = case
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    randomize(layer, x, rng)
    check_layer(layer, x, linear=("x", "kernel", "bias"), seed=seed, max_entries=100).raise_if_failed()
    check_adjoint(layer, x, seed).raise_if_failed()
    y, cache = layer.forward(x)
    assert y.shape == layer.compute_output_shape(shape)
    dx, grads = layer.backward(y, cache)
    none, same = layer.backward(y, cache, needs_dx=False)
    assert none is None
    for key in grads:
        np.testing.assert_allclose(grads[key], same[key], atol=1e-9)


@pytest.mark.parametrize("name", ["relu", "tanh", "gelu", "softmax"])
def test_a_convolution_s_activation_is_applied_to_its_sum(name):
    rng = np.random.default_rng(0)
    layer, linear = Conv2D(3, 2, activation=name, **F64), Conv2D(3, 2, **F64)
    x = rng.standard_normal((2, 3, 4, 2))
    randomize(layer, x, rng)
    linear(x)
    linear.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(x), activations.get(name)(linear(x)), rtol=1e-14)
    check_layer(layer, x).raise_if_failed()


def test_a_delta_kernel_is_the_identity():
    layer = Conv2D(3, 3, padding="same", use_bias=False, **F64)
    x = np.random.default_rng(0).standard_normal((2, 5, 4, 3))
    layer(x)
    layer.params["kernel"][...] = 0
    layer.params["kernel"][1, 1] = np.eye(3)
    np.testing.assert_array_equal(layer(x), x)


def test_a_convolution_by_hand():
    layer = Conv2D(1, 2, **F64)
    x = np.arange(9.0).reshape(1, 3, 3, 1)
    layer(x)
    layer.set_weights([np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(2, 2, 1, 1), np.array([0.5])])
    # top left: 0*1 + 1*2 + 3*3 + 4*4 + 0.5
    np.testing.assert_array_equal(layer(x)[0, :, :, 0], [[27.5, 37.5], [57.5, 67.5]])


def test_other_channels_than_before_are_refused():
    layer = Conv2D(3, 3, name="seen")
    layer(np.ones((1, 4, 4, 2)))
    with pytest.raises(
        ValueError, match=r'Conv2D "seen": expected an input of shape \(N, H, W, 2\), got \(1, 4, 4, 3\): C is 3'
    ):
        layer(np.ones((1, 4, 4, 3)))


def test_each_group_of_filters_sees_its_channels_only():
    rng = np.random.default_rng(0)
    layer = Conv2D(6, 2, groups=2, **F64)
    x = rng.standard_normal((2, 4, 4, 4))
    y = layer(x)
    assert layer.params["kernel"].shape == (2, 2, 2, 6)
    x[..., 2:] += 1
    changed = np.abs(layer(x) - y).max(axis=(0, 1, 2)) > 0
    assert changed.tolist() == [False] * 3 + [True] * 3


def test_what_cannot_be_divided_into_groups_is_refused():
    with pytest.raises(ValueError, match='Conv2D "mine": 5 filters cannot be divided into 2 groups'):
        Conv2D(5, 3, groups=2, name="mine")
    with pytest.raises(ValueError, match='Conv2D "mine": 3 channels cannot be divided into 2 groups'):
        Conv2D(4, 3, groups=2, name="mine").build((None, 8, 8, 3))


def test_its_regularizers_and_constraints_are_those_of_its_weights():
    layer = Conv2D(
        2,
        2,
        kernel_regularizer="l2",
        bias_regularizer="l1",
        kernel_constraint="non_neg",
        bias_constraint="non_neg",
        **F64,
    )
    layer.build((None, 3, 3, 1))
    value, grads = layer.penalty()
    assert value == pytest.approx(0.01 * np.sum(layer.params["kernel"] ** 2)) and set(grads) == {"kernel", "bias"}
    assert set(layer.constraints) == {"kernel", "bias"}
