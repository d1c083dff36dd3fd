"""Convolution and pooling as functions: those of the layers, and adjoint to each other."""

import numpy as np
import pytest

from scratchnet import layers, ops
from scratchnet.models import Model

RNG = np.random.default_rng(0)
IMAGE = RNG.normal(size=(2, 7, 6, 2))
SEQUENCE = IMAGE[:, :, 0]
F64 = {"dtype": "float64"}


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("strides", "dilation"), [(1, 1), (2, 1), ((1, 2), 1), (1, (2, 1))])
def test_convolution_is_that_of_the_layer(padding, strides, dilation):
    layer = layers.Conv2D(3, (3, 2), strides, padding, dilation_rate=dilation, use_bias=False, **F64)
    expected = layer(IMAGE)
    kernel = layer.kernel.numpy()
    np.testing.assert_allclose(ops.conv(IMAGE, kernel, strides, padding, dilation_rate=dilation), expected)
    y = ops.conv_transpose(expected, kernel, strides, padding, dilation_rate=dilation)
    assert y.shape[0] == 2 and y.shape[3] == 2


def test_a_sequence_is_convolved_along_its_one_axis():
    kernel = RNG.normal(size=(3, 2, 4))
    expected = np.stack([np.einsum("nkc,kcf->nf", SEQUENCE[:, t : t + 3], kernel) for t in range(0, 5, 2)], axis=1)
    np.testing.assert_allclose(ops.conv(SEQUENCE, kernel, 2), expected)
    assert ops.conv_transpose(SEQUENCE, RNG.normal(size=(3, 4, 2)), 2, "same").shape == (2, 14, 4)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [1, 2, (3, 2)])
def test_the_transposed_convolution_is_the_adjoint(padding, strides):
    kernel, small = RNG.normal(size=(3, 2, 2, 4)), RNG.normal(size=(2, 3, 4, 4))
    large = ops.conv_transpose(small, kernel, strides, padding)
    other = RNG.normal(size=large.shape)
    np.testing.assert_allclose(ops.vdot(ops.conv(other, kernel, strides, padding), small), ops.vdot(other, large))


def test_channels_by_themselves():
    kernel, pointwise = RNG.normal(size=(3, 2, 2, 3)), RNG.normal(size=(1, 1, 6, 4))
    expected = np.concatenate([ops.conv(IMAGE[..., c : c + 1], kernel[:, :, c : c + 1]) for c in range(2)], axis=-1)
    np.testing.assert_allclose(ops.depthwise_conv(IMAGE, kernel), expected)
    np.testing.assert_allclose(ops.separable_conv(IMAGE, kernel, pointwise), ops.conv(expected, pointwise))
    assert ops.depthwise_conv(SEQUENCE, kernel[:, 0]).shape == (2, 5, 6)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_pooling_is_that_of_the_layers(padding):
    for function, layer in ((ops.max_pool, layers.MaxPooling2D), (ops.average_pool, layers.AveragePooling2D)):
        np.testing.assert_allclose(function(IMAGE, 2, 1, padding), layer(2, 1, padding, **F64)(IMAGE))
        np.testing.assert_allclose(function(IMAGE, (3, 2), None, padding), layer((3, 2), None, padding, **F64)(IMAGE))
        assert function(SEQUENCE, 2, None, padding).shape == (2, 3 + (padding == "same"), 2)


def test_channels_first():
    first, kernel = np.moveaxis(IMAGE, -1, 1), np.random.default_rng(0).standard_normal((2, 2, 2, 3))
    for function, *arguments in (
        (ops.conv, kernel, 1),
        (ops.depthwise_conv, kernel, 1),
        (ops.separable_conv, kernel, np.ones((1, 1, 6, 2)), 1),
        (ops.conv_transpose, kernel.swapaxes(2, 3), 2),
        (ops.max_pool, 2, 1),
        (ops.average_pool, 2, None),
    ):
        y = function(first, *arguments, data_format="channels_first")
        np.testing.assert_allclose(y, np.moveaxis(function(IMAGE, *arguments), -1, 1), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: ops.conv(IMAGE, np.ones((2, 2, 2, 3)), data_format="NCHW"), "channels_first"),
        (lambda: ops.conv(IMAGE[0, 0], np.ones((2, 2))), "got the shape"),
        (lambda: ops.conv(IMAGE, np.ones((2, 2, 2, 3)), padding="full"), 'padding must be "valid" or "same"'),
        (lambda: ops.conv(IMAGE, np.ones((2, 2, 2, 3)), strides=(1, 1, 1)), "strides has 3 numbers"),
        (lambda: ops.conv(IMAGE, np.ones((2, 2, 3, 3))), "2 channels are no multiple of the kernel's 3"),
        (lambda: ops.conv_transpose(IMAGE, np.ones((2, 2, 3, 3))), "2 channels are not the kernel's 3"),
        (lambda: ops.conv_transpose(IMAGE, np.ones((2, 2, 3, 2)), output_padding=1), "must be less than the stride 1"),
        (lambda: ops.max_pool(layers.Input((4, None, 4, 1)), 2), "max_pool: the sizes of volumes must be known"),
        (lambda: ops.max_pool(IMAGE, 2, padding="causal"), "max_pool: padding"),
        (lambda: ops.conv(IMAGE, np.ones((2, 2, 1, 3))), "3 filters are not to be divided among 2 groups of channels"),
        (lambda: ops.depthwise_conv(IMAGE, np.ones((2, 2, 4, 1))), "depthwise_conv: 2 channels are not the kernel's 4"),
        (
            lambda: ops.separable_conv(IMAGE, np.ones((2, 2, 1, 2)), np.ones((1, 1, 2, 3))),
            "depthwise_conv: 2 channels are not the kernel's 1",
        ),
    ],
)
def test_what_is_wrong_is_told(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_paddings_are_words_in_any_case():
    kernel = np.ones((2, 2, 2, 3))
    np.testing.assert_array_equal(ops.conv(IMAGE, kernel, padding="SAME"), ops.conv(IMAGE, kernel, padding="same"))
    kernel = kernel.swapaxes(2, 3)
    assert ops.conv_transpose(IMAGE, kernel, 2, "Same").shape == ops.conv_transpose(IMAGE, kernel, 2, "same").shape
    assert ops.max_pool(IMAGE, 2, padding="VALID").shape == ops.max_pool(IMAGE, 2).shape


VOLUME = RNG.normal(size=(2, 5, 5, 6, 2))


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("strides", "dilation"), [(1, 1), ((2, 1, 2), 1), (1, (1, 2, 1))])
def test_volumes_are_those_of_the_layers(padding, strides, dilation):
    options = {"strides": strides, "padding": padding, "dilation_rate": dilation, "use_bias": False, **F64}
    layer = layers.Conv3D(3, (2, 3, 2), **options)
    expected, kernel = layer(VOLUME), layer.kernel.numpy()
    np.testing.assert_allclose(ops.conv(VOLUME, kernel, strides, padding, dilation_rate=dilation), expected)
    layer = layers.Conv3DTranspose(3, (2, 3, 2), **options)
    expected, kernel = layer(VOLUME), layer.kernel.numpy()
    np.testing.assert_allclose(ops.conv_transpose(VOLUME, kernel, strides, padding, None, None, dilation), expected)
    each = ops.depthwise_conv(VOLUME, RNG.normal(size=(2, 3, 2, 2, 2)), strides, padding, dilation_rate=dilation)
    assert each.shape[-1] == 4


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [None, 1, (2, 1, 3)])
def test_pooling_of_volumes_is_that_of_the_layers(padding, strides):
    for function, layer in ((ops.max_pool, layers.MaxPooling3D), (ops.average_pool, layers.AveragePooling3D)):
        expected = layer((2, 3, 2), strides, padding, **F64)(VOLUME)
        np.testing.assert_allclose(function(VOLUME, (2, 3, 2), strides, padding), expected, rtol=1e-12)
        x = layers.Input(VOLUME.shape[1:], dtype="float64")
        model = Model(x, function(x, (2, 3, 2), strides, padding), **F64)
        np.testing.assert_allclose(model.predict(VOLUME, batch_size=1, verbose=0), expected, rtol=1e-12)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("added", [0, 1, (1, 0), (0, 2)])
def test_output_padding_is_that_of_the_layer(padding, added):
    layer = layers.Conv2DTranspose(3, (3, 2), (2, 3), padding, added, use_bias=False, **F64)
    expected = layer(IMAGE)
    np.testing.assert_allclose(ops.conv_transpose(IMAGE, layer.kernel.numpy(), (2, 3), padding, added), expected)
    if isinstance(added, int):
        layer = layers.Conv1DTranspose(3, 3, 2, padding, added, use_bias=False, **F64)
        expected = layer(SEQUENCE)
        np.testing.assert_allclose(ops.conv_transpose(SEQUENCE, layer.kernel.numpy(), 2, padding, added), expected)
