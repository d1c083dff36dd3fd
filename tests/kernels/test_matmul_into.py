"""The matrix product within compiled code: NumPy's, for every size, layout and dtype."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

numba = pytest.importorskip("numba")

from scratchnet.kernels.with_numba import matrix_product as module  # noqa: E402
from scratchnet.kernels.with_numba import tile  # noqa: E402
from scratchnet.kernels.with_numba.matrix_product import add_matmul_by, matmul_into_by, multiplier  # noqa: E402
from scratchnet.kernels.with_numba.tile import VECTOR_BYTES  # noqa: E402

DTYPES = (np.float32, np.float64)
EPS = {dtype: np.finfo(dtype).eps for dtype in DTYPES}


def matrices(M, K, N, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(M, K)).astype(dtype), rng.normal(size=(K, N)).astype(dtype)


@numba.njit
def add_matmul_by_address(times, a, b, c):
    add_matmul_by(times, a, b, c)


def check(a, b):
    c = np.full((len(a), b.shape[1]), np.nan, a.dtype)
    matmul_into_by(multiplier(a.dtype), a, b, c)
    # Each product of K terms is off by at most K roundings of the terms' sizes (Higham, "Accuracy and stability", 3.1).
    bound = (max(a.shape[1], 1) * EPS[a.dtype.type]) * (np.abs(a).astype(float) @ np.abs(b).astype(float))
    assert (np.abs(c - a.astype(float) @ b.astype(float)) <= bound).all()
    return c


@given(
    st.integers(1, 20), st.integers(0, 40), st.integers(1, 70), st.sampled_from(DTYPES), st.booleans(), st.booleans()
)
def test_it_is_numpys_product_for_every_size_and_layout(M, K, N, dtype, turn_a, turn_b):
    a, b = matrices(M, K, N, dtype)
    check(np.asfortranarray(a) if turn_a else a, np.asfortranarray(b) if turn_b else b)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("K", [module._DEPTH - 1, module._DEPTH, module._DEPTH + 1, 2 * module._DEPTH + 3])
@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_blocks_of_the_right_matrix_add_up(K, extra, dtype):
    lanes = VECTOR_BYTES // np.dtype(dtype).itemsize
    for vectors in (1, 2, 3):
        check(*matrices(11, K, vectors * lanes + extra, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("M", [512, 577, 1024])  # rows that are copied, the last block of them being a single one
def test_rows_of_a_transposed_matrix_that_fall_into_one_place_of_the_cache(M, dtype):
    a, b = matrices(M, 300, 35, dtype)
    transposed = np.asfortranarray(a)
    product, c = check(transposed, b), np.ones((M, 35), dtype)
    add_matmul_by_address(multiplier(dtype), transposed, b, c)
    np.testing.assert_allclose(c, 1 + product, rtol=0, atol=2000 * EPS[dtype])


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="of compiled tiles; in plain Python NumPy multiplies")
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_row_does_not_depend_on_the_others(dtype):
    # so that a batch gives the same bits, however it is divided among threads
    a, b = matrices(15, 300, 45, dtype)
    whole = check(a, b)
    for rows in (slice(0, 1), slice(3, 8), slice(4, 15)):
        np.testing.assert_array_equal(check(a[rows], b), whole[rows])


def test_what_is_not_a_number_stays_in_its_row_and_column():
    a, b = matrices(9, 5, 21, np.float32)
    a[2, 1], b[3, 20] = np.nan, np.inf
    c = np.empty((9, 21), np.float32)
    matmul_into_by(multiplier(c.dtype), a, b, c)
    finite = np.isfinite(c)
    assert not finite[2].any() and not finite[:, 20].any()
    assert np.delete(np.delete(finite, 2, 0), 20, 1).all()


def test_shapes_that_do_not_fit_are_refused():
    left, right = matrices(4, 3, 5, np.float64)
    for a, b, c in (
        (left[:, :2], right, np.empty((4, 5))),
        (left, right, np.empty((3, 5))),
        (left, right, np.empty((4, 6))),
    ):
        with pytest.raises(ValueError, match="do not fit"):
            matmul_into_by(multiplier(c.dtype), a, b, c)


@numba.njit
def _twice(times, a, b, c):
    matmul_into_by(times, a, b, c)
    add_matmul_by(times, a, b, c)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_function_that_has_the_products_address_needs_no_copy_of_it(dtype):
    a, b = matrices(5, 30, 20, dtype)
    c = np.full((5, 20), np.nan, dtype)
    _twice(multiplier(dtype), a, b, c)
    np.testing.assert_array_equal(c, 2 * check(a, b))
    with pytest.raises(ValueError, match="do not fit together"):
        _twice(multiplier(dtype), a, b, c[:4])


def test_without_the_compiler_a_square_refuses_what_compiled_code_would_read_wrongly():
    source, target = np.arange(3600.0).reshape(60, 60), np.zeros((40, 40))
    tile._square_in_python(source.T, 3, 5, target, 1, 2)
    size = VECTOR_BYTES // 8
    np.testing.assert_array_equal(target[1 : 1 + size, 2 : 2 + size], source.T[3 : 3 + size, 5 : 5 + size])
    assert np.count_nonzero(target) == size**2
    for wrong in ((source, 0, 0, target, 0, 0), (source.T, 0, 0, target.T, 0, 0)):
        with pytest.raises(TypeError, match="dense"):
            tile._square_in_python(*wrong)


def test_without_the_compiler_a_pair_of_vectors_is_copied_as_compiled_code_does():
    source, target = np.arange(3600.0).reshape(60, 60), np.zeros((3, 40))
    tile._pair_in_python(source, 5, 7, target, 1, 3)
    size = 2 * VECTOR_BYTES // 8
    np.testing.assert_array_equal(target[1, 3 : 3 + size], source[5, 7 : 7 + size])
    assert np.count_nonzero(target) == size
