"""Linear algebra: values are NumPy's, for one matrix and for several."""

import numpy as np
import pytest

from scratchnet import layers, ops

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
    with pytest.raises(TypeError, match="svd has no derivative here and cannot be traced"):
        ops.svd(layers.Input((3, 3)))


def test_lu_factor():
    x = np.random.default_rng(0).normal(size=(2, 3, 3))
    lu, pivots = ops.lu_factor(x)
    for a, both, exchanged in zip(x.copy(), lu, pivots):
        for k, p in enumerate(exchanged):
            a[[k, p]] = a[[p, k]]
        np.testing.assert_allclose((np.tril(both, -1) + np.eye(3)) @ np.triu(both), a)
        assert np.abs(np.tril(both, -1)).max() <= 1
    assert pivots.dtype == np.int32
    lu, _ = ops.lu_factor(np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 4.0]]))
    assert lu.tolist() == [[0, 1], [0, 4], [0, 0.5]]
