"""Rows of the length 1, compiled: the formulas, whatever the layout, and for rows of zeros and of NaN."""

import numpy as np
import pytest

pytest.importorskip("numba")

from scratchnet.kernels.with_numba import team
from scratchnet.kernels.with_numba.unit_rows import unit_rows_backward, unit_rows_forward


def formulas(x, dy, shortest):
    n = np.maximum(np.sqrt(np.square(x).sum(axis=1)), x.dtype.type(shortest))
    y = x / n[:, None]
    return y, n, (dy - y * (dy * y).sum(axis=1, keepdims=True)) / n[:, None]


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-6), ("float64", 1e-15)])
@pytest.mark.parametrize("shape", [(0, 3), (5, 1), (7, 16), (4, 83)])
def test_both_are_their_formulas_in_any_layout(shape, dtype, tolerance):
    x, dy = np.random.default_rng(0).normal(size=(2, *shape)).astype(dtype)
    y, n, dx = formulas(x, dy, 1e-12)
    for lay_out in (np.array, np.asfortranarray, lambda a: np.repeat(a, 2, axis=1)[:, ::2]):
        found = *unit_rows_forward(lay_out(x), 1e-12), unit_rows_backward(lay_out(dy), lay_out(y), n)
        for array, expected in zip(found, (y, n, dx)):
            assert array.dtype == dtype
            np.testing.assert_allclose(array, expected, rtol=20 * tolerance, atol=20 * tolerance)


def test_no_row_is_shorter_than_the_shortest_and_nan_stays_nan():
    x = np.array([[0, 0], [3e-13, 4e-13], [np.nan, 1], [3, 4]])
    y, n = unit_rows_forward(x, 1e-12)
    np.testing.assert_allclose(n, [1e-12, 1e-12, np.nan, 5])
    np.testing.assert_allclose(y, [[0, 0], [0.3, 0.4], [np.nan, np.nan], [0.6, 0.8]])


def test_two_threads_find_the_same_bits():
    x, dy = np.random.default_rng(1).normal(size=(2, 5001, 60)).astype("float32")
    y, n = unit_rows_forward(x, 1e-12)
    dx = unit_rows_backward(dy, y, n)
    if (helper := team.helper()) is None:
        pytest.skip("without the compiler there is no team")
    with helper:
        for found, expected in zip((*unit_rows_forward(x, 1e-12), unit_rows_backward(dy, y, n)), (y, n, dx)):
            np.testing.assert_array_equal(found, expected)
