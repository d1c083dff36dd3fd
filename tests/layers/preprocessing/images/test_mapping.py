"""Images seen through a map, against its equations written out one pixel at a time."""

import math

import numpy as np
import pytest

from scratchnet.layers.preprocessing.images.mapping import affine_places, map_backward, map_forward

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 4, 3, 2))
MATRICES = RNG.normal(size=(2, 6)) * [1, 0.5, 3, 0.5, 1, 3] + [1, 0, 0, 0, 1, 0]


def pixel(image, i, j, fill):
    return image[i, j] if 0 <= i < image.shape[0] and 0 <= j < image.shape[1] else np.full(image.shape[2], fill)


def test_between_pixels_it_is_the_mean_of_the_four_around():
    y, _ = map_forward(X, *affine_places(MATRICES, 4, 3), "bilinear", "constant", 5.0)
    for n, Y, X_ in np.ndindex(2, 4, 3):
        a0, a1, a2, b0, b1, b2 = MATRICES[n]
        x, row = a0 * X_ + a1 * Y + a2, b0 * X_ + b1 * Y + b2
        i, j = math.floor(row), math.floor(x)
        v, u = row - i, x - j
        top = (1 - u) * pixel(X[n], i, j, 5) + u * pixel(X[n], i, j + 1, 5)
        bottom = (1 - u) * pixel(X[n], i + 1, j, 5) + u * pixel(X[n], i + 1, j + 1, 5)
        np.testing.assert_allclose(y[n, Y, X_], (1 - v) * top + v * bottom)


@pytest.mark.parametrize(
    ("fill_mode", "row"),
    [
        ("constant", [9, 9, 9, 9, 0, 1, 2, 3, 9, 9, 9, 9]),
        ("nearest", [0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 3, 3]),
        ("reflect", [3, 2, 1, 0, 0, 1, 2, 3, 3, 2, 1, 0]),
        ("mirror", [2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1]),
        ("wrap", [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]),
    ],
)
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_what_is_seen_where_there_is_no_pixel(fill_mode, row, interpolation):
    line = np.arange(4.0).reshape(1, 1, 4, 1)
    seen = []
    for shift in (-4, 0, 4) if fill_mode != "wrap" else (-2, 0, 2):
        places = affine_places([[1, 0, shift, 0, 1, 0]], 1, 4)
        y, _ = map_forward(line, *places, interpolation, fill_mode, 9.0)
        seen.append(y.ravel().tolist())
    if fill_mode == "wrap":  # farther out TensorFlow counts turns of 3 pixels, and so do we
        assert seen == [[2, 3, 0, 1], [0, 1, 2, 3], [2, 3, 0, 1]]
    else:
        assert seen == [row[:4], row[4:8], row[8:]]


@pytest.mark.parametrize("fill_mode", ["constant", "nearest", "reflect", "wrap", "mirror"])
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_the_adjoint(fill_mode, interpolation):
    y, sampling = map_forward(X, *affine_places(MATRICES, 4, 3), interpolation, fill_mode)
    dy = RNG.standard_normal(X.shape)
    assert np.sum(y * dy) == pytest.approx(np.sum(X * map_backward(dy, sampling)), rel=1e-12)
