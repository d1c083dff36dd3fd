"""Images turned, shifted, sheared and zoomed: Keras's values for square images, and what is plain to see."""

import numpy as np
import pytest

from scratchnet.preprocessing.warp import FILL_MODES, affine_matrix, warp

X = (np.arange(36) * 29 % 50).reshape(6, 6, 1).astype("float32")
CHANGE = {"theta": -40, "tx": 1, "ty": -2, "shear": 15, "zx": 1.2, "zy": 0.8}


def test_nothing_changes_nothing():
    np.testing.assert_array_equal(warp(X, affine_matrix()), X)


@pytest.mark.parametrize(
    ("fill_mode", "expected"),
    [
        ("nearest", [[0, 0, 1], [9, 9, 10]]),
        ("constant", [[-1, 0, 1], [-1, 9, 10]]),
        ("reflect", [[0, 0, 1], [9, 9, 10]]),
        ("wrap", [[2, 0, 1], [11, 9, 10]]),
    ],
)
def test_what_stands_beyond_the_borders(fill_mode, expected):
    x = np.array([[0, 1, 2], [9, 10, 11]], "float32")[..., None]
    np.testing.assert_allclose(warp(x, affine_matrix(tx=-1), fill_mode, -1)[..., 0], expected)


def test_right_angles_and_halves():
    np.testing.assert_allclose(warp(X, affine_matrix(theta=90)), np.rot90(X), atol=1e-4)
    np.testing.assert_allclose(warp(X, affine_matrix(ty=1))[:-1], X[1:])
    half = warp(X, affine_matrix(tx=0.5))
    np.testing.assert_allclose(half[:, :-1], (X[:, :-1] + X[:, 1:]) / 2)
    wide = np.arange(20.0).reshape(4, 5, 1)  # Keras turns about another point where sides differ
    np.testing.assert_allclose(warp(wide, affine_matrix(theta=180)), wide[::-1, ::-1], atol=1e-9)


# keras.src.legacy.preprocessing.image.apply_affine_transform(X, **CHANGE): the first row, and the sum
KERAS = {
    "nearest": ([10.581, 0.0, 19.593, 16.508, 22.909, 27.899], 834.521),
    "constant": ([0.5, 0.5, 0.5, 0.5, 0.5, 0.5], 348.779),
    "reflect": ([11.714, 0.0, 18.597, 19.776, 21.014, 24.098], 835.755),
}


@pytest.mark.parametrize("fill_mode", KERAS)
def test_kerass_values(fill_mode):
    y = warp(X, affine_matrix(**CHANGE), fill_mode, 0.5)
    row, total = KERAS[fill_mode]
    np.testing.assert_allclose(y[0, :, 0], row, atol=2e-3)
    np.testing.assert_allclose(y.sum(), total, rtol=1e-5)


def test_dtypes_stay():
    for fill_mode in FILL_MODES:
        assert warp(X, affine_matrix(theta=10), fill_mode).dtype == np.float32
