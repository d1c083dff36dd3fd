"""Upsampling of sequences and volumes, and of images along a surface."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer
from scratchnet.layers import UpSampling1D, UpSampling2D, UpSampling3D

RNG = np.random.default_rng(41)


def test_steps_and_cells_are_repeated():
    x = RNG.standard_normal((2, 3, 4))
    np.testing.assert_array_equal(UpSampling1D(3, dtype="float64")(x), x.repeat(3, axis=1))
    x = RNG.standard_normal((1, 2, 3, 2, 2))
    expected = x.repeat(2, axis=1).repeat(3, axis=3)
    np.testing.assert_array_equal(UpSampling3D((2, 1, 3), dtype="float64")(x), expected)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (UpSampling1D(2, dtype="float64"), (2, 3, 2)),
        (UpSampling3D((1, 2, 3), dtype="float64"), (1, 2, 2, 2, 2)),
        (UpSampling2D((2, 3), interpolation="bilinear", dtype="float64"), (2, 3, 4, 2)),
        (UpSampling2D(3, interpolation="bicubic", dtype="float64"), (1, 3, 4, 2)),
    ],
)
def test_gradients(layer, shape):
    check_layer(layer, RNG.standard_normal(shape), linear=("x",)).raise_if_failed()


def test_an_unknown_interpolation_is_refused():
    with pytest.raises(ValueError, match="interpolation must be one of"):
        UpSampling2D(interpolation="sinc")
