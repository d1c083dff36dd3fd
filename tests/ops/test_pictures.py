"""Colours, blur, edges and similarity. Values by Keras 3.15.1."""

import colorsys

import numpy as np
import pytest

from scratchnet import layers, ops
from scratchnet.gradient_check import relative_error
from scratchnet.models import Model

image = ops.image
RNG = np.random.default_rng(0)
X = RNG.random((2, 5, 6, 3))
X[0, 0, 0], X[0, 0, 1], X[0, 0, 2] = 0.0, 0.5, [0.2, 0.8, 0.8]


def test_colours_there_and_back():
    hsv = image.rgb_to_hsv(X)
    expected = [colorsys.rgb_to_hsv(*pixel) for pixel in X.reshape(-1, 3)]
    np.testing.assert_allclose(hsv.reshape(-1, 3), expected, atol=1e-12)
    np.testing.assert_allclose(image.hsv_to_rgb(hsv), X, atol=1e-12)
    np.testing.assert_allclose(image.hsv_to_rgb(hsv[1]), X[1], atol=1e-12)


def test_blur_spreads_a_point_into_a_bell():
    point = np.zeros((1, 7, 7, 2))
    point[0, 3, 3] = [1.0, 2.0]
    blurred = image.gaussian_blur(point, (3, 5), (1.0, 2.0))
    across, down = np.exp(-np.array([1.0, 0.0, 1.0]) / 2), np.exp(-np.array([4.0, 1.0, 0.0, 1.0, 4.0]) / 8)
    bell = np.outer(down / down.sum(), across / across.sum())
    np.testing.assert_allclose(blurred[0, 1:6, 2:5, 0], bell)
    assert blurred.sum() == pytest.approx(3) and blurred.dtype == np.float64
    np.testing.assert_allclose(image.gaussian_blur(point[0], (3, 5), (1.0, 2.0)), blurred[0])
    assert image.gaussian_blur(point.astype("float32")).dtype == np.float32


def test_patches_of_volumes():
    x = np.arange(2 * 4 * 5 * 6 * 2.0).reshape(2, 4, 5, 6, 2)
    patches = image.extract_patches_3d(x, 2)
    assert patches.shape == (2, 2, 2, 3, 16)
    np.testing.assert_array_equal(patches[1, 1, 0, 2], x[1, 2:4, 0:2, 4:6].ravel())
    np.testing.assert_array_equal(image.extract_patches_3d(x[0], (2, 1, 3), 1)[2, 4, 3], x[0, 2:4, 4:5, 3:6].ravel())
    apart = image.extract_patches_3d(x, (2, 1, 1), (1, 2, 3), dilation_rate=(3, 1, 1))
    np.testing.assert_array_equal(apart[0, 0, 1, 1], x[0, [0, 3], 2, 3].ravel())
    same = image.extract_patches_3d(x, 3, 2, padding="same")
    assert same.shape == (2, 2, 3, 3, 54) and same[0, 0, 0, 0].sum() == x[0, :3, :2, :3].sum()
    inputs = layers.Input((4, 5, 6, 2), dtype="float64")
    model = Model(inputs, image.extract_patches_3d(inputs, 3, 2, padding="same"))
    y, cache = model.forward(x)
    np.testing.assert_array_equal(y, same)
    dx, _ = model.backward(y, cache)
    assert np.sum(dx * x) == np.sum(y * y)  # linear: <A^T A x, x> = <A x, A x>
    with pytest.raises(ValueError, match="volumes are"):
        image.extract_patches_3d(np.ones((2, 3, 4)), 2)


def test_edges():
    slope = np.broadcast_to(np.arange(4.0)[:, None, None], (4, 5, 1))
    edges = image.sobel_edges(slope)
    assert edges.shape == (4, 5, 1, 2)
    np.testing.assert_array_equal(edges[1:-1, :, 0], np.broadcast_to([8.0, 0.0], (2, 5, 2)))
    np.testing.assert_array_equal(edges[[0, -1]], np.zeros((2, 5, 1, 2)))


def test_similarity():
    x = np.sin(np.arange(2 * 12 * 12.0)).reshape(2, 12, 12, 1) / 2 + 0.5
    y = np.clip(x + 0.2 * np.cos(np.arange(2 * 12 * 12.0)).reshape(x.shape), 0, 1)
    np.testing.assert_allclose(image.ssim(x, x), [1, 1])
    np.testing.assert_allclose(image.ssim(x, y), KERAS, rtol=1e-5)
    np.testing.assert_allclose(
        image.ssim(x[0], y[0], max_val=2.0, filter_size=7, filter_sigma=1.0, k1=0.02, k2=0.05), KERAS_OF_ONE, rtol=1e-5
    )


KERAS, KERAS_OF_ONE = [0.92643442, 0.92417188], 0.91428408


def test_what_cannot_be_compared():
    with pytest.raises(ValueError, match="the images have different shapes"):
        image.ssim(X, X[:, :4])
    with pytest.raises(ValueError, match="images of 5 x 6 pixels are smaller than the window, filter_size=11"):
        image.ssim(X, X)
    with pytest.raises(ValueError, match="ssim: images are"):
        image.ssim(X[..., 0, 0], X)


@pytest.mark.parametrize(
    "function",
    [
        image.rgb_to_hsv,
        image.hsv_to_rgb,
        lambda x: image.gaussian_blur(x, (3, 5), (0.7, 1.0)),
        image.sobel_edges,
        lambda x: image.ssim(x, 1 - x * x, filter_size=3, filter_sigma=0.8),
    ],
)
def test_gradients_are_proved(function):
    inputs = layers.Input((4, 5, 3), dtype="float64")
    model = Model(inputs, function(inputs))
    x = RNG.uniform(0.1, 0.9, (2, 4, 5, 3))
    y, cache = model.forward(x)
    np.testing.assert_allclose(y, function(x), rtol=1e-12)
    dy = RNG.normal(size=y.shape)
    dx, _ = model.backward(dy, cache)
    step, numeric = 1e-6, np.empty_like(x)
    for place in np.ndindex(x.shape):
        moved = np.zeros_like(x)
        moved[place] = step
        numeric[place] = np.sum((np.asarray(function(x + moved)) - np.asarray(function(x - moved))) * dy) / (2 * step)
    assert relative_error(numeric, dx) < 1e-6
