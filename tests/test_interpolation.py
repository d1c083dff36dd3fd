"""Images of another size: TensorFlow's values, and what holds for every kernel."""

import numpy as np
import pytest

from scratchnet.interpolation import INTERPOLATIONS, resize, resize_weights

X = (np.arange(5 * 7) * 37 % 101).reshape(1, 5, 7, 1).astype("float32")

# tf.image.resize(X, size, method): the first row, the sum, and the sum of squares. Its bicubic takes the weights from a
# table of 1024, hence the tolerance.
TENSORFLOW = {
    ("bilinear", (3, 4)): ([32.875, 55.542, 31.917, 50.375], 608.45831, 33779.37891),
    ("bilinear", (8, 9)): ([0.0, 24.667, 53.444, 59.778, 10.0, 38.778, 67.556, 62.667, 20.0], 3513.97925, 195460.84375),
    ("nearest", (3, 4)): ([0.0, 74.0, 47.0, 20.0], 579.0, 38633.0),
    ("nearest", (8, 9)): ([0.0, 37.0, 37.0, 74.0, 10.0, 47.0, 84.0, 84.0, 20.0], 3575.0, 241295.0),
    ("bicubic", (3, 4)): ([28.904, 57.403, 30.443, 49.266], 606.92218, 34596.41406),
    ("bicubic", (8, 9)): ([-5.856, 17.858, 58.407, 66.844, 5.899, 38.572, 78.551, 66.93, 12.519], 3522.17871, 209752.2),
    ("area", (3, 4)): ([38.657, 50.143, 35.657, 52.914], 587.65711, 29754.05664),
    ("area", (8, 9)): ([0.0, 26.429, 52.857, 64.857, 10.0, 41.714, 68.143, 65.714, 20.0], 3525.94312, 202343.42188),
    ("lanczos3", (3, 4)): ([29.875, 54.327, 26.574, 51.047], 592.42963, 33193.59766),
    ("lanczos5", (8, 9)): (
        [-9.975, 3.86, 74.523, 68.366, -0.084, 31.323, 104.792, 61.022, 4.329],
        3525.60522,
        227474.7,
    ),
    ("gaussian", (8, 9)): (
        [6.379, 28.874, 53.543, 56.342, 22.889, 38.49, 64.383, 61.304, 28.051],
        3533.18311,
        188626.77,
    ),
    ("mitchellcubic", (3, 4)): ([31.794, 54.889, 31.621, 50.413], 598.63342, 32473.62109),
}


@pytest.mark.parametrize(("interpolation", "size"), TENSORFLOW)
def test_tensorflows_values(interpolation, size):
    row, total, squares = TENSORFLOW[interpolation, size]
    y = resize(X, size, interpolation)
    assert y.shape == (1, *size, 1) and y.dtype == np.float32
    atol, rtol = (0.04, 5e-4) if interpolation == "bicubic" else (6e-4, 1e-6)
    np.testing.assert_allclose(y[0, 0, :, 0], row, atol=atol)
    np.testing.assert_allclose([y.sum(), np.square(y).sum()], [total, squares], rtol=rtol)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_the_same_size_of_a_flat_image_changes_nothing_and_every_size_keeps_its_colour(interpolation):
    for new_size in (1, 3, 6, 7, 20):
        np.testing.assert_allclose(resize_weights(6, new_size, interpolation).sum(axis=1), 1)
    if interpolation not in ("gaussian", "mitchellcubic"):  # those two smooth
        np.testing.assert_allclose(resize(X, (5, 7), interpolation), X, atol=1e-5)


def test_whole_numbers_become_floats_and_one_image_will_do():
    y = resize(X[0].astype("uint8"), (3, 4))
    assert y.dtype == np.float32 and y.shape == (3, 4, 1)
    np.testing.assert_allclose(y, resize(X, (3, 4))[0])
    assert resize(X.astype("float64"), (3, 4)).dtype == np.float64


def test_an_unknown_kernel_is_refused():
    with pytest.raises(ValueError, match="unknown interpolation 'linear', expected one of area, nearest, bilinear"):
        resize_weights(3, 4, "linear")
