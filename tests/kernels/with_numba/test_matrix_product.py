"""What is computed by the wide tile of a single row."""

import numpy as np
import pytest

numba = pytest.importorskip("numba")

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
