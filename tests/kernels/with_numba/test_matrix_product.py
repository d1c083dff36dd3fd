"""What is computed by the wide tile of a single row."""

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from scratchnet.kernels.with_numba import matrix_product  # noqa: E402
from scratchnet.kernels.with_numba.affine import affine_forward  # noqa: E402
from scratchnet.kernels.with_numba.matrix_product import matmul_into_by, multiplier  # noqa: E402


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="of compiled products; in plain Python NumPy multiplies")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("N", [64, 128, 300])
def test_a_single_row_has_the_bits_that_it_has_among_others(dtype, N):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((5, 400)).astype(dtype), rng.standard_normal((400, N)).astype(dtype)
    one, five = np.empty((1, N), dtype), np.empty((5, N), dtype)
    matmul_into_by(multiplier(dtype), a[:1], b, one)
    matmul_into_by(multiplier(dtype), a, b, five)
    np.testing.assert_array_equal(one, five[:1])


@pytest.mark.parametrize("K, N", [(288, 20), (30, 10), (9, 64), (784, 128), (16, 3), (40, 1)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_where_rows_are_alone_none_depends_on_how_many_there_are(K, N, dtype):
    rng = np.random.default_rng(0)
    a, b, bias = (rng.normal(size=shape).astype(dtype) for shape in ((150, K), (K, N), (N,)))
    with matrix_product.row_by_row():
        whole, affine = matrix_product.matmul(a, b), affine_forward(a, b, bias)
        for rows in (1, 2, 3, 7, 20, 60):
            np.testing.assert_array_equal(matrix_product.matmul(a[:rows], b), whole[:rows])
            np.testing.assert_array_equal(affine_forward(a[:rows], b, bias), affine[:rows])
    np.testing.assert_allclose(whole, a @ b, rtol=0, atol=2e-4 if dtype == "float32" else 1e-12)


def test_where_rows_are_alone_none_depends_on_how_many_meet_a_matrix_larger_than_a_cache():
    rng = np.random.default_rng(0)
    a, b = rng.random((70, 1100), np.float32), rng.random((1100, 2000), np.float32)
    assert b.nbytes > matrix_product._LARGE
    with matrix_product.row_by_row():
        whole, affine = matrix_product.matmul(a, b), affine_forward(a, b, None)
        for rows in (1, 5, 16, 17, 32, 48, 49):
            np.testing.assert_array_equal(matrix_product.matmul(a[:rows], b), whole[:rows])
            np.testing.assert_array_equal(affine_forward(a[:rows], b, None), affine[:rows])
    np.testing.assert_array_equal(affine, whole)
