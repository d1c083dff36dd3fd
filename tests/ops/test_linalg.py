"""Linear algebra: values are NumPy's, for one matrix and for several."""

import numpy as np
import pytest

from scratchnet import ops

RNG = np.random.default_rng(0)
A = RNG.normal(size=(2, 3, 3)) + 3 * np.eye(3)
POSITIVE = A @ A.swapaxes(-1, -2)


def test_values_are_numpy_s():
    np.testing.assert_allclose(ops.inv(A), np.linalg.inv(A))
    np.testing.assert_allclose(ops.det(A), np.linalg.det(A))
    np.testing.assert_allclose(ops.slogdet(-A), np.linalg.slogdet(-A))
    np.testing.assert_allclose(ops.logdet(POSITIVE), np.linalg.slogdet(POSITIVE)[1])
    np.testing.assert_allclose(ops.cholesky(POSITIVE), np.linalg.cholesky(POSITIVE))
    np.testing.assert_allclose(ops.cholesky(POSITIVE, upper=True), np.linalg.cholesky(POSITIVE).swapaxes(-1, -2))
    np.testing.assert_allclose(ops.eigh(POSITIVE)[0], np.linalg.eigh(POSITIVE)[0])
    np.testing.assert_allclose(ops.svd(A, compute_uv=False), np.linalg.svd(A, compute_uv=False))
    np.testing.assert_allclose(ops.qr(A)[1], np.linalg.qr(A)[1])
    np.testing.assert_allclose(ops.pinv(A[:, :2]), np.linalg.pinv(A[:, :2]))
    np.testing.assert_allclose(ops.lstsq(A[0], A[1]), np.linalg.lstsq(A[0], A[1], rcond=None)[0])
    assert ops.matrix_rank(np.ones((3, 3))) == 1


@pytest.mark.parametrize("upper", [False, True])
def test_the_inverse_from_a_triangle(upper):
    np.testing.assert_allclose(ops.cholesky_inverse(ops.cholesky(POSITIVE, upper), upper), np.linalg.inv(POSITIVE))


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4)])
def test_solving(shape):
    b = RNG.normal(size=shape)
    columns = b[..., None] if b.ndim == 2 else b
    for z, a in (
        (ops.solve(A, b), A),
        (ops.solve_triangular(A, b), np.triu(A)),
        (ops.solve_triangular(A, b, lower=True), np.tril(A)),
    ):
        np.testing.assert_allclose(z, np.linalg.solve(a, columns).reshape(shape))


def test_what_cannot_be():
    with pytest.raises(ValueError, match="inv: Singular matrix"):
        ops.inv(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="must be of one size"):
        ops.det(np.ones((2, 3)))


def test_what_counts_as_nothing():
    x = np.diag([1.0, 1e-4, 1e-9])
    assert ops.matrix_rank(x) == 3 and ops.matrix_rank(x, 1e-3) == 1 and ops.matrix_rank(x).dtype == np.int32
    np.testing.assert_allclose(ops.pinv(x, 1e-6), np.diag([1.0, 1e4, 0.0]))
    small = np.diag([1.0, 1e-15, 1e-17])  # at most eps times 3 is nothing
    np.testing.assert_allclose(ops.pinv(small), np.diag([1.0, 1e15, 0.0]))
    b = np.ones(3)
    np.testing.assert_allclose(ops.lstsq(x, b, rcond=1e-6), [1.0, 1e4, 0.0])
    np.testing.assert_allclose(ops.lstsq(x, b), [1.0, 1e4, 1e9])


def test_inverse_of_a_cholesky_factor():
    a = np.array([[4.0, 2.0], [2.0, 3.0]])
    for upper in (False, True):
        np.testing.assert_allclose(ops.cholesky_inverse(ops.cholesky(a, upper), upper), np.linalg.inv(a))
    np.testing.assert_allclose(ops.cholesky_inverse(ops.cholesky(a)), np.linalg.inv(a))
