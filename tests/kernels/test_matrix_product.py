"""The matrix product of the layers: in every backend that of the definition, whatever the layout."""

import importlib.util

import numpy as np
import pytest

from scratchnet import kernels

BACKENDS = ["loops", "numpy"] + ["numba"] * (importlib.util.find_spec("numba") is not None)


def readonly(array):
    array = array.copy()
    array.flags.writeable = False
    return array


LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "strided": lambda array: np.repeat(array, 2, axis=1)[:, ::2],
    "reversed": lambda array: array[::-1].copy()[::-1],
    "readonly": readonly,
    "readonly Fortran": lambda array: readonly(array.T).T,
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("left", LAYOUTS)
@pytest.mark.parametrize("right", LAYOUTS)
def test_every_layout(backend, dtype, left, right):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(5, 7)).astype(dtype), rng.normal(size=(7, 19)).astype(dtype)
    expected = np.einsum("mk,kn->mn", a.astype(float), b.astype(float))
    with kernels.using_backend(backend):
        c = kernels.matmul(LAYOUTS[left](a), LAYOUTS[right](b))
    assert c.dtype == dtype and c.flags.carray
    np.testing.assert_allclose(c, expected, rtol=0, atol=1e-12 if dtype == "float64" else 1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("M, K, N", [(1, 1, 1), (1, 9, 4), (6, 1, 3), (3, 4, 1)])
def test_vectors_are_matrices_too(backend, M, K, N):
    a, b = np.arange(1.0, 1 + M * K).reshape(M, K), np.arange(2.0, 2 + K * N).reshape(K, N)
    with kernels.using_backend(backend):
        c = kernels.matmul(a, b)
    assert c.tolist() == [[sum(a[m, k] * b[k, n] for k in range(K)) for n in range(N)] for m in range(M)]


@pytest.mark.parametrize("backend", BACKENDS[1:])
@pytest.mark.parametrize("left, right", [("C", "C"), ("C", "Fortran"), ("Fortran", "C"), ("Fortran", "Fortran")])
@pytest.mark.parametrize(
    "M, K, N", [(2, 50, 60), (3, 40, 90), (40, 70, 1), (40, 70, 4), (50, 33, 10), (9, 80, 70), (1, 400, 300)]
)
def test_few_rows_and_few_columns(backend, left, right, M, K, N):
    # which compiled code computes as dot products, or as the transposed product
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(M, K)), rng.normal(size=(K, N))
    with kernels.using_backend(backend):
        c = kernels.matmul(LAYOUTS[left](a), LAYOUTS[right](b))
    assert c.flags.carray
    np.testing.assert_allclose(c, np.einsum("mk,kn->mn", a, b), rtol=0, atol=1e-12)


@pytest.fixture(params=["BLAS", "tiles"])
def who_computes(request, monkeypatch):
    """Small products are BLAS's; without that, the same ones by compiled code."""
    module = pytest.importorskip("scratchnet.kernels.with_numba.matrix_product")
    if request.param == "tiles":
        monkeypatch.setattr(module, "_SMALL", -1)
        monkeypatch.setattr(module, "_SMALL_FOR_BLAS", -1)
        monkeypatch.setattr(module, "_is_for_blas", lambda *sizes: False)
    return module.matmul


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("M, K, N", [(0, 3, 4), (3, 0, 4), (3, 4, 0), (1, 5, 40), (40, 5, 1), (1, 2, 1), (5, 1, 70)])
def test_empty_matrices_and_vectors(who_computes, dtype, M, K, N):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(M, K)).astype(dtype), rng.normal(size=(K, N)).astype(dtype)
    for left in (a, np.asfortranarray(a)):
        for right in (b, np.asfortranarray(b)):
            c = who_computes(left, right)
            assert c.shape == (M, N) and c.dtype == dtype and c.flags.carray
            np.testing.assert_allclose(c, np.einsum("mk,kn->mn", a, b), rtol=0, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("M, N", [(1, 40), (40, 1), (9, 21), (1, 1)])
def test_what_is_not_a_number_is_not_lost_where_it_meets_a_zero(who_computes, dtype, M, N):
    for K in (1, 6):
        a, b = np.zeros((M, K), dtype), np.zeros((K, N), dtype)
        a[0, K - 1], b[0, N - 1] = np.nan, np.inf
        with np.errstate(invalid="ignore"):  # NumPy tells of it, as in every of its functions
            c = who_computes(a, b)
        assert np.isnan(c[0]).all() and np.isnan(c[:, -1]).all() and not c[1:, :-1].any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "M, K, N", [(1, 300, 200), (30, 40, 50), (2, 60, 700), (9, 700, 20), (17, 600, 37), (98, 35, 70), (60, 16, 150)]
)
@pytest.mark.parametrize("left, right", [("strided", "C"), ("C", "Fortran"), ("Fortran", "strided")])
def test_of_every_size_that_the_rule_tells_apart_it_is_the_product(who_computes, dtype, M, K, N, left, right):
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(M, K)).astype(dtype), rng.normal(size=(K, N)).astype(dtype)
    c = who_computes(LAYOUTS[left](a), LAYOUTS[right](b))
    np.testing.assert_allclose(
        c, np.einsum("mk,kn->mn", a.astype(float), b.astype(float)), rtol=0, atol=1e-11 if dtype == "float64" else 1e-3
    )
    np.testing.assert_array_equal(c, who_computes(LAYOUTS[left](a), LAYOUTS[right](b)))


def test_blas_multiplies_vectors_and_what_is_small():
    module = pytest.importorskip("scratchnet.kernels.with_numba.matrix_product")
    few = np.ones((2, 300), "float32")

    def asked(M, K, N, left="C", right="C"):
        return module._is_for_blas(np.empty((M, K), "float32", left), np.empty((K, N), "float32", right))

    assert asked(1, 300, 300) and asked(300, 300, 1)
    is_wide = module.VECTOR_BYTES == 64
    assert asked(60, 80, 60) == is_wide and not asked(60, 80, 60, right="F")
    assert asked(30, 500, 40, right="F") == is_wide
    assert asked(60, 16, 4000, right="F") and not asked(600, 16, 40000, right="F")
    assert not asked(300, 300, 300)
    with kernels.using_backend("numba"):
        np.testing.assert_array_equal(kernels.matmul(few[:, :9], few[:, :9].T), few[:, :9].dot(few[:, :9].T))


def test_with_vectors_of_32_bytes_blas_also_has_what_would_leave_tiles_half_empty(monkeypatch):
    module = pytest.importorskip("scratchnet.kernels.with_numba.matrix_product")
    for name, value in (("VECTOR_BYTES", 32), ("_THIN_FOR_BLAS", 1 << 23), ("_APART", 4096), ("_MORE", 8)):
        monkeypatch.setattr(module, name, value)
    for M, K, N, expected in [
        (128, 256, 8, True),
        (128, 256, 16, False),  # a whole tile
        (128, 256, 28, True),
        (128, 256, 40, False),
        (256, 1024, 10, False),  # worth sharing with another thread
        (2, 1024, 10, True),
        (200, 16, 96, True),
        (200, 17, 96, False),
        (16, 100, 1024, True),  # whose rows lie 4096 bytes apart
        (17, 100, 1024, False),
        (16, 100, 1040, False),
        (8, 2000, 1500, False),
        (9, 2000, 1500, True),  # few rows, and b is larger than a cache
        (49, 2000, 1500, False),
    ]:
        found = module._is_for_blas(np.empty((M, K), "float32"), np.empty((K, N), "float32"))
        assert found == expected, (M, K, N)


def test_with_vectors_of_64_bytes_a_large_matrix_of_float64_is_for_blas_where_few_rows_meet_it(monkeypatch):
    module = pytest.importorskip("scratchnet.kernels.with_numba.matrix_product")
    for name, value in (("VECTOR_BYTES", 64), ("_MORE", 7)):
        monkeypatch.setattr(module, name, value)
    b = np.empty((1024, 1500))
    for M, right, expected in [(7, b, False), (8, b, True), (48, b, True), (49, b, False), (8, b[:400], False)]:
        assert module._is_for_blas(np.empty((M, len(right))), right) == expected, M
    assert not module._is_for_blas(np.empty((8, 1500)), b.T)
    assert not module._is_for_blas(np.empty((28, 1024), "float32"), np.empty((1024, 3000), "float32"))


@pytest.mark.parametrize("bytes_of_vector", [32, 64])
def test_few_rows_by_columns_that_fill_no_vector_are_for_blas_however_long_the_sums(monkeypatch, bytes_of_vector):
    module = pytest.importorskip("scratchnet.kernels.with_numba.matrix_product")
    for name, value in (("VECTOR_BYTES", bytes_of_vector), ("_THIN_FOR_BLAS", 0), ("_FEW_OF_THIN", 32)):
        monkeypatch.setattr(module, name, value)
    for M, N, left, right, expected in [
        (32, 10, "C", "C", True),
        (33, 10, "C", "C", False),
        (31, 10, "F", "C", True),
        (32, 10, "F", "C", False),  # by columns: turned round, the rows fill a tile
        (32, 28, "C", "C", True),
        (32, 28, "C", "F", False),  # one vector is full, and b would be copied anyway
        (32, 16, "C", "C", False),
    ]:
        found = module._is_for_blas(np.empty((M, 5408), "float32", left), np.empty((5408, N), "float32", right))
        assert found == expected, (M, N, left, right)
    assert not module._is_for_blas(np.empty((32, 5408)), np.empty((5408, 10)))  # of float64 they are quick


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("missing", [1, 5])
def test_the_gradient_of_a_matrix_of_few_columns_is_computed_transposed_and_turned_round(monkeypatch, dtype, missing):
    module = pytest.importorskip("scratchnet.kernels.with_numba.matrix_product")
    turned, turn = [], module._turn
    monkeypatch.setattr(module, "_turn", lambda c_T, c: (turned.append(c.shape), turn(c_T, c)))
    monkeypatch.setattr(module, "_SMALL_FOR_BLAS", -1)
    monkeypatch.setattr(module, "_is_for_blas", lambda a, b: False)
    N = max(2 * module.VECTOR_BYTES // np.dtype(dtype).itemsize - missing, 2)  # nearly a tile's width
    M = module._MANY // N + 5
    rng = np.random.default_rng(0)
    x, dz = rng.normal(size=(40, M)).astype(dtype), rng.normal(size=(40, N)).astype(dtype)
    dW = module.matmul(x.T, dz)
    assert turned == [(M, N)] and dW.flags.carray
    expected = x.T.astype(float) @ dz.astype(float)
    np.testing.assert_allclose(dW, expected, rtol=0, atol=1e-12 if dtype == "float64" else 1e-4)


@pytest.mark.skipif("numba" not in BACKENDS, reason="Numba is not installed")
@pytest.mark.parametrize("N", [1, 30])
def test_compiled_code_refuses_shapes_that_do_not_fit(N):
    with kernels.using_backend("numba"), pytest.raises(ValueError, match="do not fit"):
        kernels.matmul(np.ones((5, 3)), np.ones((4, N)))


@pytest.mark.skipif("numba" not in BACKENDS, reason="Numba is not installed")
def test_compiled_code_refuses_two_dtypes():
    with kernels.using_backend("numba"), pytest.raises(TypeError, match="float32 and float64"):
        kernels.matmul(np.ones((2, 3), "float32"), np.ones((3, 2)))


@pytest.mark.parametrize("M", [9, 17, 97])
def test_few_rows_by_a_matrix_that_no_cache_holds(M):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((M, 1500), dtype="float32"), rng.standard_normal((1500, 1501), dtype="float32")
    found = kernels.matmul(a, b)
    np.testing.assert_allclose(found, a.astype("float64") @ b, rtol=0, atol=1e-3)


@pytest.mark.skipif("numba" not in BACKENDS, reason="Numba is not installed")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("N", [1024, 1100])
@pytest.mark.parametrize("M, apart", [(20, 2048), (50, 1536)])
def test_rows_that_fall_into_one_place_of_the_cache(dtype, N, M, apart):
    from scratchnet.kernels.with_numba.matrix_product import matmul_into_by, multiplier

    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((M, 300)).astype(dtype), rng.standard_normal((300, apart)).astype(dtype)[:, :N]
    c = np.full((M, N), np.nan, dtype)
    matmul_into_by(multiplier(c.dtype), a, b, c)
    np.testing.assert_allclose(c, a.astype(float) @ b, rtol=0, atol=1e-3 if dtype == "float32" else 1e-11)
