"""Packing of images: nothing is lost, whatever the pixels are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scratchnet.datasets import lossless


@given(arrays(np.uint8, st.tuples(st.integers(0, 3), st.integers(1, 5), st.integers(1, 5), st.just(3))))
def test_unpack_gives_back_what_was_packed(images):
    unpacked = lossless.unpack(lossless.pack(images))
    assert unpacked.dtype == np.uint8 and unpacked.shape == images.shape
    np.testing.assert_array_equal(unpacked, images)


@pytest.mark.parametrize("seed", range(3))
def test_unpack_gives_back_extreme_pixels(seed):
    images = np.random.default_rng(seed).choice(np.array([0, 1, 127, 128, 254, 255], np.uint8), (20, 8, 8, 3))
    unpacked = lossless.unpack(lossless.pack(images))
    assert unpacked.dtype == np.uint8 and unpacked.shape == images.shape
    np.testing.assert_array_equal(unpacked, images)


def test_packed_planes_of_a_grey_slope():
    rows, columns = np.indices((4, 4))
    images = np.repeat((10 + 2 * rows + 3 * columns)[None, :, :, None], 3, axis=3).astype(np.uint8)
    green, red, blue = lossless.pack(images)
    assert not red.any() and not blue.any()
    # 10 unpredicted, +3 along the first row, +2 down the first column; unsigned residuals are twice the signed ones.
    # Inside, the median holds on to the larger neighbour, the one above, to which +2 is missing.
    np.testing.assert_array_equal(green[0], [[20, 6, 6, 6], [4, 4, 4, 4], [4, 4, 4, 4], [4, 4, 4, 4]])
