"""MaxPooling2D: padding never wins, and the first of equal maxima does."""

import numpy as np

from scratchnet.layers import MaxPooling2D

F64 = {"dtype": "float64"}


def test_max_pooling_of_negative_values_under_same_never_chooses_the_padding():
    x = -1.0 - np.arange(9.0).reshape(1, 3, 3, 1)
    np.testing.assert_array_equal(MaxPooling2D(2, padding="same", **F64)(x)[0, :, :, 0], [[-1, -3], [-7, -9]])


def test_the_first_of_equal_maxima_gets_the_gradient():
    layer, x = MaxPooling2D(2, **F64), np.ones((1, 2, 2, 1))
    _, cache = layer.forward(x)
    dx, _ = layer.backward(np.full((1, 1, 1, 1), 5.0), cache)
    np.testing.assert_array_equal(dx[0, :, :, 0], [[5, 0], [0, 0]])
