"""Windows as columns, and columns added up."""

import numpy as np
import pytest

from scratchnet import ops

X = np.random.default_rng(0).normal(size=(2, 3, 7, 6))


def test_a_convolution_is_a_product_with_the_columns():
    kernel = np.random.default_rng(1).normal(size=(3, 2, 3, 4))  # KH, KW, C, F
    columns = ops.unfold(X, (3, 2), padding=(1, 0), stride=(2, 1))
    assert columns.shape == (2, 18, 20)
    y = np.einsum("nkl,kf->nlf", columns, kernel.transpose(2, 0, 1, 3).reshape(18, 4)).reshape(2, 4, 5, 4)
    padded = np.pad(X, ((0, 0), (0, 0), (1, 1), (0, 0))).transpose(0, 2, 3, 1)
    np.testing.assert_allclose(y, ops.conv(padded, kernel, (2, 1), "valid", "channels_last"))


def test_folding_adds_where_windows_overlap():
    ones = ops.fold(np.ones((1, 4, 4)), 3, 2)
    assert ones[0, 0].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    apart = ops.unfold(X[:, :, :6], 2, stride=2)
    np.testing.assert_array_equal(ops.fold(apart, (6, 6), 2, stride=2), X[:, :, :6])
    inside = ops.fold(ops.unfold(X, 1, padding=2), (7, 6), 1, padding=2)
    np.testing.assert_array_equal(inside, X)


def test_what_does_not_fit():
    with pytest.raises(
        ValueError, match=r"unfold: a window of \(5, 5\), dilation \(2, 2\), does not fit into \(7, 6\)"
    ):
        ops.unfold(X, 5, dilation=2)
    with pytest.raises(ValueError, match=r"fold: columns of shape \(1, 4, 5\) are not those of \[2, 2\] windows"):
        ops.fold(np.ones((1, 4, 5)), 3, 2)
    with pytest.raises(ValueError, match="are not those of"):
        ops.fold(np.ones((1, 5, 4)), 3, 2)
