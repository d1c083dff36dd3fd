"""A product with a matrix in panels is that with the matrix, whatever fills no panel, no vector and no tile."""

import numpy as np
import pytest

pytest.importorskip("numba")

from scratchnet.kernels.with_numba import panels  # noqa: E402
from scratchnet.kernels.with_numba.compile import njit  # noqa: E402
from scratchnet.kernels.with_numba.matrix_product import add_matmul_by, matmul_into_by, multiplier  # noqa: E402


@njit
def _both(times, a, W, into, onto):
    matmul_into_by(times, a, W, into)
    add_matmul_by(times, a, W, onto)


@pytest.mark.parametrize("M, K, N", [(4, 1, 1), (5, 7, 7), (7, 3, 9), (100, 9, 16), (13, 20, 28), (6, 600, 40)])
@pytest.mark.parametrize("is_transposed", [False, True])
def test_a_product_with_panels_is_that_with_the_matrix(M, K, N, is_transposed):
    rng = np.random.default_rng(0)
    a, W, c = (rng.normal(size=shape).astype("float32") for shape in ((M, K), (K, N), (M, N)))
    W = np.asfortranarray(W) if is_transposed else W
    times, laid = multiplier("float32"), panels.laid_out(W, K, M)
    assert laid.shape[1] == panels._WIDTH
    into, onto = np.full_like(c, np.nan), c.copy()
    _both(times, a, laid, into, onto)
    np.testing.assert_allclose(into, a @ W, rtol=0, atol=2e-4)
    np.testing.assert_allclose(onto, c + a @ W, rtol=0, atol=2e-4)
    some = np.zeros_like(c[:3])
    _both(times, a[1:4], laid, some, some.copy())
    np.testing.assert_array_equal(some, into[1:4])  # whatever other rows there are


@pytest.mark.parametrize("dtype, T, N", [("float64", 9, 9), ("float32", 9, 3), ("float32", 1, 5)])
def test_what_few_rows_meet_stays_as_it_is(dtype, T, N):
    W = np.arange(48, dtype=dtype).reshape(6, 8)
    for matrix in (W, W.T):
        laid = panels.laid_out(matrix, T, N)
        assert laid.flags.c_contiguous
        np.testing.assert_array_equal(laid, matrix)


def test_shapes_that_do_not_fit_are_refused():
    a, c = np.ones((5, 6), "float32"), np.ones((5, 8), "float32")
    laid = panels.laid_out(np.ones((6, 8), "float32"), 9, 5)
    for wrong in ((a[:4], laid, c), (a, laid[:5], c), (a, laid[:, :7], c)):
        with pytest.raises(ValueError, match="do not fit together"):
            _both(multiplier("float32"), *wrong, wrong[-1])
