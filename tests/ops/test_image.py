"""Images of other sizes, their patches, edges and greys."""

import numpy as np
import pytest

from scratchnet import config, ops
from scratchnet.layers import Input, UpSampling2D

X = np.random.default_rng(0).normal(size=(2, 6, 5, 3)).astype("float32")


def test_patches_that_do_not_overlap():
    patches = ops.image.extract_patches(X, (3, 2))  # what is left over at the right edge is in none
    assert patches.shape == (2, 2, 2, 18)
    np.testing.assert_array_equal(patches[1, 1, 0], X[1, 3:6, 0:2].ravel())
    np.testing.assert_array_equal(ops.image.extract_patches(X[1], (3, 2)), patches[1])


@pytest.mark.parametrize(("strides", "dilation"), [(1, 1), ((2, 1), 1), (1, (2, 1))])
def test_patches_that_overlap(strides, dilation):
    patches = ops.image.extract_patches(X, (3, 2), strides, dilation)
    down, right = (strides, strides) if isinstance(strides, int) else strides
    apart = dilation if isinstance(dilation, int) else dilation[0]
    rows = slice(down, down + 2 * apart + 1, apart)
    np.testing.assert_allclose(patches[1, 1, 2], X[1, rows, 2 * right : 2 * right + 2].ravel(), rtol=1e-6)
    padded = ops.image.extract_patches(X, (3, 3), 1, padding="same")
    assert padded.shape == (2, 6, 5, 27)
    np.testing.assert_array_equal(padded[0, 0, 0].reshape(3, 3, 3)[0], np.zeros((3, 3)))


def test_resizing():
    np.testing.assert_array_equal(ops.image.resize(X, (12, 10), "nearest"), UpSampling2D(2)(X))
    assert ops.image.resize(X, (4, 4), crop_to_aspect_ratio=True).shape == (2, 4, 4, 3)
    padded = ops.image.resize(X, (6, 10), pad_to_aspect_ratio=True, fill_value=7.0)
    np.testing.assert_array_equal(padded[:, :, 0], np.full((2, 6, 3), 7.0))
    assert ops.image.resize(Input((6, 5, 3)), (4, 4), antialias=True).shape == (None, 4, 4, 3)
    with pytest.raises(ValueError, match="interpolation='cubic'"):
        ops.image.resize(X, (4, 4), "cubic")
    with pytest.raises(ValueError, match="not both"):
        ops.image.resize(X, (4, 4), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True)


def test_edges():
    np.testing.assert_array_equal(ops.image.crop_images(X, 1, 2, 0, 1), X[:, 1:, 2:4])
    np.testing.assert_array_equal(
        ops.image.crop_images(X, top_cropping=2, left_cropping=0, target_height=3, target_width=2), X[:, 2:5, :2]
    )
    padded = ops.image.pad_images(X, bottom_padding=1, left_padding=2, target_height=9, target_width=7)
    np.testing.assert_array_equal(padded, np.pad(X, ((0, 0), (2, 1), (2, 0), (0, 0))))
    with pytest.raises(ValueError, match="exactly two"):
        ops.image.pad_images(X, 1, 1, 1, 1, target_height=9)
    with pytest.raises(ValueError, match="must be positive"):
        ops.image.crop_images(X, 1, 1, target_height=9, target_width=2)
    for rows in ({"bottom_cropping": 4}, {"target_height": 0}, {"target_height": -2}):
        with pytest.raises(ValueError, match="crop_images: cropping of 2 and . leaves nothing of 6 pixels"):
            ops.image.crop_images(X, 2, 0, right_cropping=1, **rows)


def test_grey():
    grey = ops.image.rgb_to_grayscale(X)
    np.testing.assert_allclose(grey[..., 0], X @ np.float32([0.2989, 0.587, 0.114]), rtol=1e-6)
    with pytest.raises(ValueError, match="three channels, got 2"):
        ops.image.rgb_to_grayscale(X[..., :2])
    with pytest.raises(ValueError, match="rgb_to_grayscale: data_format must be .*, got 'NCHW'"):
        ops.image.rgb_to_grayscale(X, "NCHW")


def test_another_size_with_the_proportions_kept():
    x = np.arange(2 * 4 * 10 * 1.0).reshape(2, 4, 10, 1)
    cropped = ops.image.resize(x, (2, 2), crop_to_aspect_ratio=True)
    np.testing.assert_allclose(cropped, ops.image.resize(x[:, :, 3:7], (2, 2)))
    padded = ops.image.resize(x, (10, 10), "nearest", pad_to_aspect_ratio=True, fill_value=-1.0)
    np.testing.assert_array_equal(padded[:, 3:7], x)
    assert (padded[:, :3] == -1).all() and (padded[:, 7:] == -1).all()
    tall = x.transpose(0, 2, 1, 3)
    padded = ops.image.resize(tall, (10, 10), "nearest", pad_to_aspect_ratio=True)
    np.testing.assert_array_equal(padded[:, :, 3:7], tall)
    assert not padded[:, :, :3].any() and not padded[:, :, 7:].any()
    smooth, rough = (ops.image.resize(x, (2, 5), antialias=antialias) for antialias in (True, False))
    assert not np.allclose(smooth, rough) and np.array_equal(rough, ops.image.resize(x, (2, 5)))


FIRST = np.moveaxis(X, -1, 1)
CALLS = [
    ("resize", {"size": (4, 7)}),
    ("resize", {"size": (4, 4), "pad_to_aspect_ratio": True}),
    ("extract_patches", {"size": (3, 2)}),
    ("extract_patches", {"size": 2, "strides": 1, "padding": "same"}),
    ("crop_images", {"top_cropping": 1, "left_cropping": 2, "target_height": 3, "target_width": 2}),
    ("pad_images", {"top_padding": 1, "left_padding": 2, "target_height": 9, "target_width": 8}),
    ("rgb_to_grayscale", {}),
    ("rgb_to_hsv", {}),
    ("hsv_to_rgb", {}),
    ("gaussian_blur", {}),
    ("sobel_edges", {}),
]


@pytest.mark.parametrize(("name", "options"), CALLS, ids=lambda value: value if isinstance(value, str) else "")
def test_channels_first_as_argument_and_as_setting(name, options, request):
    function, X_ = getattr(ops.image, name), np.abs(X) % 1
    back = (0, 3, 1, 2, 4) if name == "sobel_edges" else (0, 3, 1, 2)
    expected = function(X_, **options).transpose(back)
    first = X_.transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(function(first, data_format="channels_first", **options), expected)
    request.addfinalizer(lambda: config.set_image_data_format("channels_last"))
    config.set_image_data_format("channels_first")
    np.testing.assert_array_equal(function(first, **options), expected)
    np.testing.assert_array_equal(function(first[1], **options), expected[1])
    np.testing.assert_array_equal(
        function(X_, data_format="channels_last", **options), expected.transpose(np.argsort(back))
    )


def test_channels_first_of_volumes_and_of_two_images():
    volume = np.random.default_rng(1).random((2, 3, 4, 4, 2))
    patches = ops.image.extract_patches_3d(volume, 2)
    first = ops.image.extract_patches_3d(np.moveaxis(volume, -1, 1), 2, data_format="channels_first")
    np.testing.assert_array_equal(first, np.moveaxis(patches, -1, 1))
    options = {"filter_size": 3, "data_format": "channels_first"}
    np.testing.assert_array_equal(
        ops.image.ssim(FIRST, FIRST + 0.1, **options), ops.image.ssim(X, X + np.float32(0.1), filter_size=3)
    )
    with pytest.raises(ValueError, match=r"images are \(N, H, W, C\) or \(H, W, C\), got the shape \(5, 3\)"):
        ops.image.resize(X[0, 0], (2, 2), data_format="channels_first")


@pytest.mark.parametrize("size", [(0, 4), (4, -1), (2.5, 4), (4, None)])
def test_a_size_is_two_positive_integers(size):
    with pytest.raises(ValueError, match="resize: size must be two positive integers"):
        ops.image.resize(X, size)


def test_with_an_odd_row_to_put_on_as_many_are_put_on_either_side_as_in_keras():
    x = np.arange(30, dtype="float32").reshape(1, 6, 5, 1)
    found = ops.image.resize(x, (9, 4), pad_to_aspect_ratio=True)[0, :, 0, 0]
    expected = [0, 0.020833, 1.513889, 7.069445, 12.625, 18.180556, 23.736111, 4.1875, 0]  # Keras 3.15
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)


def test_images_of_integers_stay_such():
    x = np.array([[[[200, 100, 50], [3, 4, 5]]]], "uint8")
    assert ops.image.resize(x, (1, 4))[0, 0].tolist() == [[200, 100, 50], [151, 76, 39], [52, 28, 16], [3, 4, 5]]
    grey = ops.image.rgb_to_grayscale(x)
    assert grey.dtype == np.uint8 and grey[0, 0].tolist() == [[124], [3]]  # 124.18, 3.81
    for options in ({"strides": 1}, {"padding": "same"}):
        assert ops.image.extract_patches(x.astype("float32"), (1, 2), **options).dtype == np.float32
