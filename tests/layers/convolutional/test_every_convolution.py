"""What every convolution does: gradients with every option, shapes, what it is the adjoint of, refusals."""

import numpy as np
import pytest

from scratchnet import kernels, layers
from scratchnet.gradient_check import check_layer
from scratchnet.layers import (
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    DepthwiseConv2D,
    Input,
    SeparableConv2D,
)

RNG = np.random.default_rng(51)
SEQUENCE, IMAGE, VOLUME = (2, 6, 4), (2, 5, 4, 2), (1, 4, 3, 4, 2)
BACKENDS = ["loops", "numpy", *["numba"] * kernels.numba_is_installed()]


def cases():
    for padding in ("valid", "same"):
        for options in ({}, {"strides": 2}, {"dilation_rate": 2, "kernel_size": 2}, {"use_bias": False}):
            yield "Conv1D", SEQUENCE, {"filters": 3, "kernel_size": 3, "padding": padding, **options}
            yield "Conv1DTranspose", SEQUENCE, {"filters": 3, "kernel_size": 3, "padding": padding, **options}
            yield "Conv2DTranspose", IMAGE, {"filters": 3, "kernel_size": (3, 2), "padding": padding, **options}
            yield "DepthwiseConv2D", IMAGE, {"kernel_size": 3, "depth_multiplier": 2, "padding": padding, **options}
            yield "DepthwiseConv1D", SEQUENCE, {"kernel_size": 3, "padding": padding, **options}
            yield "SeparableConv2D", IMAGE, {"filters": 3, "kernel_size": 3, "padding": padding, **options}
            yield "SeparableConv1D", SEQUENCE, {"filters": 3, "kernel_size": 2, "padding": padding, **options}
            yield "Conv3D", VOLUME, {"filters": 2, "kernel_size": 2, "padding": padding, **options}
            yield "Conv3DTranspose", VOLUME, {"filters": 2, "kernel_size": 2, "padding": padding, **options}
    yield "Conv1D", SEQUENCE, {"filters": 3, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}
    yield "Conv1D", SEQUENCE, {"filters": 4, "kernel_size": 2, "groups": 2}
    yield "Conv3D", VOLUME, {"filters": 4, "kernel_size": 2, "groups": 2}
    yield "Conv2DTranspose", IMAGE, {"filters": 2, "kernel_size": 2, "strides": (3, 2), "output_padding": (1, 0)}
    even = {"filters": 2, "kernel_size": (2, 4), "strides": (3, 2), "padding": "same", "output_padding": (0, 1)}
    yield "Conv2DTranspose", IMAGE, even


@pytest.mark.parametrize(("name", "shape", "options"), list(cases()))
def test_gradients(name, shape, options):
    layer = getattr(layers, name)(activation="tanh", bias_initializer="normal", dtype="float64", **options)
    x = RNG.standard_normal(shape)
    check_layer(layer, x, max_entries=60, directions=4).raise_if_failed()
    assert layer(x).shape == layer.compute_output_shape(shape)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["Conv1D", "Conv2DTranspose", "Conv3D", "DepthwiseConv2D", "SeparableConv2D"])
def test_every_backend_computes_the_same(name, backend):
    filters = {} if name.startswith("Depthwise") else {"filters": 2}
    x = RNG.standard_normal({"Conv1D": SEQUENCE, "Conv3D": VOLUME}.get(name, IMAGE))
    layer = getattr(layers, name)(kernel_size=2, strides=2, activation="relu", dtype="float64", **filters)
    with kernels.using_backend("numpy"):
        y, cache = layer(x), layer.forward(x)[1]
        dx, grads = layer.backward(np.ones_like(y), cache)
    with kernels.using_backend(backend):
        found, cache = layer.forward(x)
        found_dx, found_grads = layer.backward(np.ones_like(y), cache)
    np.testing.assert_allclose(found, y, atol=1e-12)
    np.testing.assert_allclose(found_dx, dx, atol=1e-12)
    for key, gradient in grads.items():
        np.testing.assert_allclose(found_grads[key], gradient, atol=1e-12)


@pytest.mark.parametrize(("strides", "padding", "size"), [(1, "valid", 7), (2, "same", 8), (2, "valid", 7)])
def test_a_transposed_convolution_is_the_adjoint_of_a_convolution(strides, padding, size):
    image = RNG.standard_normal((1, size, size, 2))
    conv = Conv2D(3, 3, strides, padding, use_bias=False, dtype="float64")
    small = conv(image)
    transposed = Conv2DTranspose(2, 3, strides, padding, use_bias=False, dtype="float64")
    transposed.build(small.shape)
    transposed.params["kernel"][...] = conv.params["kernel"]
    dx, _ = conv.backward(small, conv.forward(image)[1])
    np.testing.assert_allclose(transposed(small), dx, atol=1e-12)


def test_a_causal_output_does_not_see_what_comes_later():
    layer, x = Conv1D(2, 3, padding="causal", dilation_rate=2), RNG.standard_normal((1, 8, 3))
    changed = x.copy()
    changed[:, 5:] += 1
    np.testing.assert_array_equal(layer(x)[:, :5], layer(changed)[:, :5])
    assert layer(x).shape == (1, 8, 2)


def test_a_separable_convolution_is_a_depthwise_and_a_pointwise_one():
    x = RNG.standard_normal(IMAGE)
    separable = SeparableConv2D(5, 3, depth_multiplier=2, dtype="float64")
    y = separable(x)
    depthwise = DepthwiseConv2D(3, depth_multiplier=2, use_bias=False, dtype="float64")
    pointwise = Conv2D(5, 1, dtype="float64")
    pointwise(depthwise(x))
    depthwise.set_weights(separable.get_weights()[:1])
    pointwise.set_weights(separable.get_weights()[1:])
    np.testing.assert_allclose(pointwise(depthwise(x)), y, atol=1e-12)
    names = [w.name for w in separable.weights]
    assert names == ["depthwise_kernel", "pointwise_kernel", "bias"]


def test_a_volume_one_slice_deep_is_an_image():
    x = RNG.standard_normal(IMAGE)
    flat, deep = Conv2D(3, 2, dtype="float64"), Conv3D(3, (1, 2, 2), dtype="float64")
    deep(x[:, None])
    flat(x)
    flat.set_weights([deep.get_weights()[0][0], deep.get_weights()[1]])
    np.testing.assert_allclose(deep(x[:, None])[:, 0], flat(x), atol=1e-12)


def test_frozen_layers_compute_no_gradients():
    for layer in (Conv1D(2, 2, trainable=False), Conv1D(2, 2)):
        y = layer(np.ones((1, 4, 3), "float32"))
        _, grads = layer.backward(y, layer.forward(np.ones((1, 4, 3), "float32"))[1])
        assert set(grads) == set(layer.trainable_params)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="is smaller than the kernel"):
        Conv1D(2, 5)(np.ones((1, 4, 1)))
    with pytest.raises(ValueError, match="cannot both be above 1"):
        Conv1D(2, 3, strides=2, dilation_rate=2)
    with pytest.raises(ValueError, match='padding must be "valid" or "same"'):
        Conv3D(2, 3, padding="causal")
    with pytest.raises(ValueError, match="output_padding .* must be less than the strides"):
        Conv2DTranspose(2, 3, strides=2, output_padding=2)(np.ones((1, 4, 4, 1)))
    with pytest.raises(ValueError, match="3 filters cannot be divided into 2 groups"):
        Conv1D(3, 2, groups=2)
    with pytest.raises(ValueError, match="number of channels must be known"):
        Conv1D(3, 2)(Input((4, None)))
    with pytest.raises(ValueError, match="C is 2"):
        layer = Conv1D(3, 2)
        layer(np.ones((1, 4, 3)))
        layer(np.ones((1, 4, 2)))
