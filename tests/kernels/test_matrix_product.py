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


@pytest.mark.skipif("numba" not in BACKENDS, reason="Numba is not installed")
def test_compiled_code_refuses_two_dtypes():
    with kernels.using_backend("numba"), pytest.raises(TypeError, match="float32 and float64"):
        kernels.matmul(np.ones((2, 3), "float32"), np.ones((3, 2)))
