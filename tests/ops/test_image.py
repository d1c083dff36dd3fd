"""Images of other sizes, their patches, edges and greys."""

import numpy as np
import pytest

from scratchnet import ops
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


def test_grey():
    grey = ops.image.rgb_to_grayscale(X)
    np.testing.assert_allclose(grey[..., 0], X @ np.float32([0.2989, 0.587, 0.114]), rtol=1e-6)
    with pytest.raises(ValueError, match="three channels, got 2"):
        ops.image.rgb_to_grayscale(X[..., :2])
    with pytest.raises(ValueError, match="channels_last"):
        ops.image.rgb_to_grayscale(X, "channels_first")


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
