"""AveragePooling2D: the mean of what is there."""

import numpy as np

from scratchnet.layers import AveragePooling2D

F64 = {"dtype": "float64"}


def test_average_pooling_leaves_padding_out_of_the_count():
    np.testing.assert_array_equal(
        AveragePooling2D(2, padding="same", **F64)(np.ones((1, 3, 3, 1))), np.ones((1, 2, 2, 1))
    )
