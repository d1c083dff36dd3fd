"""Convolution, pooling and upsampling: gradients for whatever sizes, and the truths of each layer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import activations
from scratchnet.gradient_check import check_adjoint, check_layer
from scratchnet.gradient_check.catalogue import randomize, separated
from scratchnet.layers import (
    AveragePooling2D,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    Input,
    MaxPool2D,
    MaxPooling2D,
    UpSampling2D,
)
from scratchnet.models import Sequential

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
    layer = Conv2D(draw(st.integers(1, 4)), kernel, padding=padding, use_bias=draw(st.booleans()), **options, **F64)
    return layer, (draw(st.integers(1, 3)), *size, draw(st.integers(1, 5)))


@given(case=convolutions(), seed=st.integers(0, 100))
def test_convolution_gradients(case, seed):
    layer, shape = case
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    randomize(layer, x, rng)
    check_layer(layer, x, linear=("x", "kernel", "bias"), seed=seed).raise_if_failed()
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


@pytest.mark.parametrize("cls", [MaxPooling2D, AveragePooling2D])
@given(
    shape=st.tuples(st.integers(1, 2), st.integers(4, 7), st.integers(4, 7), st.integers(1, 3)),
    pool=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    strides=st.one_of(st.none(), st.tuples(st.integers(1, 5), st.integers(1, 5))),
    padding=PADDINGS,
)
def test_pooling_gradients(cls, shape, pool, strides, padding):
    layer, x = cls(pool, strides, padding, **F64), separated(np.random.default_rng(0), shape)
    check_layer(layer, x, linear=("x",) if cls is AveragePooling2D else ()).raise_if_failed()
    assert layer.forward(x)[0].shape == layer.compute_output_shape(shape)
    if cls is AveragePooling2D:
        check_adjoint(layer, x).raise_if_failed()


@given(shape=st.tuples(SIZES, SIZES, SIZES, SIZES), size=st.tuples(st.integers(1, 3), st.integers(1, 3)))
def test_upsampling_gradient_and_inverse(shape, size):
    layer, x = UpSampling2D(size, **F64), np.random.default_rng(0).standard_normal(shape)
    check_adjoint(layer, x).raise_if_failed()
    np.testing.assert_allclose(AveragePooling2D(size, **F64)(layer(x)), x, atol=1e-14)
    assert layer(Input((None, *shape[2:]))).shape == (None, None, shape[2] * size[1], shape[3])


def test_a_sandwich_and_the_second_step():
    """dx matters only where something trainable stands before the layer, and a second step must work like the first."""
    rng = np.random.default_rng(0)
    for layer in (MaxPooling2D(2, **F64), UpSampling2D(**F64), GlobalAveragePooling2D(**F64), Conv2D(2, 2, **F64)):
        tail = [] if isinstance(layer, GlobalAveragePooling2D) else [Flatten(**F64)]
        model = Sequential(
            [Input((4, 4, 2), **F64), Conv2D(2, 1, activation="tanh", **F64), layer, *tail, Dense(2, **F64)]
        )
        x = rng.standard_normal((2, 4, 4, 2))
        check_layer(model, x, bound=1e-6).raise_if_failed()
        model.compile("sgd", "mse")
        losses = [model.train_on_batch(x, np.zeros((2, 2))) for _ in range(3)]
        assert losses[2] < losses[1] < losses[0]
        check_layer(model, x, bound=1e-6).raise_if_failed()


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


def test_max_pooling_of_negative_values_under_same_never_chooses_the_padding():
    x = -1.0 - np.arange(9.0).reshape(1, 3, 3, 1)
    np.testing.assert_array_equal(MaxPooling2D(2, padding="same", **F64)(x)[0, :, :, 0], [[-1, -3], [-7, -9]])


def test_the_first_of_equal_maxima_gets_the_gradient():
    layer, x = MaxPooling2D(2, **F64), np.ones((1, 2, 2, 1))
    _, cache = layer.forward(x)
    dx, _ = layer.backward(np.full((1, 1, 1, 1), 5.0), cache)
    np.testing.assert_array_equal(dx[0, :, :, 0], [[5, 0], [0, 0]])


def test_average_pooling_leaves_padding_out_of_the_count():
    np.testing.assert_array_equal(
        AveragePooling2D(2, padding="same", **F64)(np.ones((1, 3, 3, 1))), np.ones((1, 2, 2, 1))
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: Conv2D(3, 3, padding="same", activation="relu"),
        lambda: MaxPooling2D(3, 2, "same"),
        lambda: AveragePooling2D(2),
        lambda: UpSampling2D(2),
        lambda: GlobalAveragePooling2D(),
    ],
)
def test_contract(make):
    """float32 stays float32; nothing is mutated; backward repeats; layouts do not matter; batches are sums of parts."""
    layer = make()
    x = np.random.default_rng(0).standard_normal((4, 6, 5, 2)).astype("float32")
    layer(x)
    kept = x.copy()
    y, cache = layer.forward(x)
    dy = np.random.default_rng(1).standard_normal(y.shape).astype("float32")
    dy_kept = dy.copy()
    dx, grads = layer.backward(dy, cache)
    again, grads_again = layer.backward(dy, cache)
    assert y.dtype == dx.dtype == np.float32 and all(g.dtype == np.float32 for g in grads.values())
    np.testing.assert_array_equal(x, kept)
    np.testing.assert_array_equal(dy, dy_kept)
    np.testing.assert_array_equal(dx, again)
    assert grads.keys() == layer.params.keys()
    for key in grads:
        np.testing.assert_array_equal(grads[key], grads_again[key])
    for change in (np.asfortranarray, lambda a: np.repeat(a, 2, axis=2)[:, :, ::2]):
        np.testing.assert_allclose(layer.forward(change(x))[0], y, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(
            layer.backward(change(dy), cache)[0], dx, rtol=1e-5, atol=1e-6
        ) if dy.ndim == 4 else None
    parts = []
    for rows in (slice(0, 1), slice(1, 4)):
        y_part, cache_part = layer.forward(x[rows])
        np.testing.assert_allclose(y_part, y[rows], rtol=1e-5, atol=1e-6)
        parts.append(layer.backward(dy[rows], cache_part))
    np.testing.assert_allclose(np.concatenate([p[0] for p in parts]), dx, rtol=1e-5, atol=1e-6)
    for key in grads:
        np.testing.assert_allclose(parts[0][1][key] + parts[1][1][key], grads[key], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (lambda: Conv2D(0, 3), None, "filters must be a positive integer, got 0"),
        (lambda: Conv2D(3, (3, 3, 3)), None, "kernel_size must be one or two positive integers"),
        (lambda: Conv2D(3, 3, strides=2, dilation_rate=2), None, "cannot both be above 1"),
        (lambda: Conv2D(3, 3, padding="full"), None, 'padding must be "valid" or "same"'),
        (lambda: Conv2D(3, 3), (2, 5, 5), r"expected an input of shape \(N, H, W, C\), got 3 axes"),
        (lambda: Conv2D(3, 3), (2, 2, 5, 1), "smaller than the kernel"),
        (lambda: MaxPooling2D(3), (2, 2, 5, 1), "smaller than the window"),
        (lambda: UpSampling2D(0), None, "size must be a positive integer"),
        (lambda: GlobalAveragePooling2D(), (2, 3), "expected an input of shape"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(make, shape, message):
    with pytest.raises(ValueError, match=message):
        layer = make()
        layer(np.ones(shape))


def test_other_channels_than_before_are_refused():
    layer = Conv2D(3, 3, name="seen")
    layer(np.ones((1, 4, 4, 2)))
    with pytest.raises(
        ValueError, match=r'Conv2D "seen": expected an input of shape \(N, H, W, 2\), got \(1, 4, 4, 3\): C is 3'
    ):
        layer(np.ones((1, 4, 4, 3)))


def test_keras_s_names_and_refusals():
    assert MaxPool2D is MaxPooling2D
    with pytest.raises(TypeError, match="'interpolation'"):
        UpSampling2D(2, interpolation="bilinear")
    with pytest.raises(TypeError, match="'groups'"):
        Conv2D(4, 3, groups=2)
    assert UpSampling2D(2, interpolation="nearest", data_format="channels_last").size == (2, 2)
    with pytest.raises(TypeError, match="'data_format'"):
        Conv2D(4, 3, data_format="channels_first")


def test_configurations_make_the_same_layer_again():
    for layer in (
        Conv2D(3, (2, 3), (2, 1), "same", activation="relu", use_bias=False),
        MaxPooling2D(3, 2, "same"),
        UpSampling2D((1, 2)),
    ):
        assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
