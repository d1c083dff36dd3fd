"""Diagonals and triangles are NumPy's."""

import numpy as np
import pytest

from scratchnet import ops

X = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize("k", [-1, 0, 2])
def test_values_are_numpy_s(k):
    for x in (np.arange(3.0), X[0]):
        np.testing.assert_array_equal(ops.diag(x, k), np.diag(x, k))
    np.testing.assert_array_equal(ops.diagflat(X[0], k), np.diagflat(X[0], k))
    np.testing.assert_array_equal(ops.tril(X, k), np.tril(X, k))
    np.testing.assert_array_equal(ops.triu(X, k), np.triu(X, k))
    np.testing.assert_array_equal(ops.diagonal(X, k, 1, 2), np.diagonal(X, k, 1, 2))
    np.testing.assert_array_equal(ops.trace(X, k, 2, 0), np.trace(X, k, 2, 0))


def test_what_is_no_matrix_is_refused():
    with pytest.raises(ValueError, match=r"takes a vector or a matrix, got the shape \(2, 3, 4\)"):
        ops.diag(X)
    with pytest.raises(ValueError, match="a matrix has two axes, not 1"):
        ops.tril(np.ones(3))
