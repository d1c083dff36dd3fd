"""Products by matrices known when the code is made: with and without pairs of rows, of every width, and with an end."""

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from scratchnet.kernels.with_numba.compile import njit  # noqa: E402
from scratchnet.kernels.with_numba.constant_tile import make_constant_tile  # noqa: E402
from scratchnet.kernels.with_numba.tile import VECTOR_BYTES  # noqa: E402

POWERS = np.vander([0, 1, -1, 2, -2, 0.5], 5, increasing=True)  # rows alike but for signs
MATRICES = {
    0: POWERS,
    1: POWERS.T,
    4: POWERS @ POWERS.T,
    5: np.array([[0, 2.5, 0], [0, 0, 0], [1 / 3, -1, 7]]),
    9: np.array([[-1.5]]),
}
tile, tile_with_end = make_constant_tile(MATRICES), make_constant_tile(MATRICES, ends=True)


@njit
def product(which, b, row, n, c, m, column, width):
    tile(which, b, row, n, c, m, column, width)


@njit
def product_with_end(which, b, row, n, c, m, column, width, bias, least):
    tile_with_end(which, b, row, n, c, m, column, width, bias, least)


def made(which, dtype, more):
    """b, what c should become and where, and the arguments of a tile so many columns wider than a vector."""
    rng = np.random.default_rng(which)
    matrix, width = MATRICES[which], VECTOR_BYTES // np.dtype(dtype).itemsize + more
    b = rng.integers(-8, 8, (len(matrix.T) + 3, width + 5)).astype(dtype)
    c = rng.normal(size=(len(matrix) + 2, width + 4)).astype(dtype)
    here = slice(1, 1 + len(matrix)), slice(3, 3 + width)
    found = matrix @ b[2 : 2 + len(matrix.T), 4 : 4 + width]
    return c, here, found, (which, b, 2, 4, c, 1, 3, width)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("which", MATRICES)
def test_it_is_the_product_for_every_width_and_writes_nothing_else(which, dtype):
    lanes = VECTOR_BYTES // np.dtype(dtype).itemsize
    for more in range(2 * lanes + 1):
        c, here, wanted, arguments = made(which, dtype, more)
        expected = c.copy()
        expected[here] = wanted
        product(*arguments)
        np.testing.assert_allclose(c, expected, rtol=0, atol=1e-5 if dtype == "float32" else 1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("which", MATRICES)
def test_it_adds_a_bias_and_keeps_what_is_above_the_least(which, dtype):
    c, here, wanted, arguments = made(which, dtype, 3)
    bias = np.random.default_rng(0).integers(-9, 9, c.shape[1]).astype(dtype)
    for least in (0, -np.inf):
        expected = c.copy()
        expected[here] = np.maximum(wanted + bias[here[1]], least)
        product_with_end(*arguments, bias, c.dtype.type(least))
        np.testing.assert_allclose(c, expected, rtol=0, atol=1e-5 if dtype == "float32" else 1e-13)


def test_what_is_not_a_number_stays_in_its_column():
    c, here, wanted, (which, b, *others) = made(0, "float32", 3)
    b[2:, 6] = np.nan  # the third of the columns
    product_with_end(which, b, *others, np.zeros(c.shape[1], "float32"), np.float32(0))
    missing = np.isnan(c[here])
    assert missing[1:, 2].all() and not missing[:, [0, 1, *range(3, missing.shape[1])]].any()


@pytest.mark.skipif(not numba.config.DISABLE_JIT, reason="compiled tiles trust their caller")
@pytest.mark.parametrize(
    "error, place, other",
    [
        (TypeError, 7, VECTOR_BYTES // 4 - 1),
        (TypeError, 1, np.zeros((9, 40))),
        (IndexError, 2, 4),
        (IndexError, 2, -1),
        (IndexError, 3, 6),
        (IndexError, 5, 3),
        (IndexError, 6, 5),
    ],
)
def test_a_tile_in_plain_python_refuses_what_compiled_code_would_read_out_of_bounds(error, place, other):
    *_, arguments = made(0, "float32", 0)
    arguments = list(arguments)
    product(*arguments)
    arguments[place] = other
    with pytest.raises(error):
        product(*arguments)
