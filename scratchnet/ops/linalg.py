"""Linear algebra of the matrices in the last two axes.

The adjoints follow from the differential of what is computed (Giles, "An extended collection of matrix derivative
results", 2008): of ``Z = A^-1``, ``dZ = -Z dA Z``, and therefore ``adjoint of A = -Z^T (adjoint of Z) Z^T``.
"""

import numpy as np

from scratchnet.ops.diagonals import diagonal, tril, triu
from scratchnet.ops.dtypes import floats
from scratchnet.ops.elementwise import log, multiply
from scratchnet.ops.linear import matmul
from scratchnet.ops.norms import norm  # noqa: F401 (for those who import this module)
from scratchnet.ops.operation import is_symbolic, operation
from scratchnet.ops.reductions import sum
from scratchnet.ops.shapes import swapaxes
from scratchnet.ops.trial import Unfit


def _T(x):
    return x.swapaxes(-1, -2)


def _check_square(*matrices):
    for x in matrices:
        if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
            raise Unfit("the last two axes must be of one size")


@operation(x=lambda dz, z: -_T(z) @ dz @ _T(z), dtypes=floats)
def inv(x):
    """The inverse. Raises ValueError for a matrix that has none."""
    _check_square(x)
    return _solved(np.linalg.inv, x)


@operation(x=lambda dz, x, z: (dz * z)[..., None, None] * _T(np.linalg.inv(x)), dtypes=floats)
def det(x):
    """The determinant."""
    _check_square(x)
    return np.linalg.det(x)


@operation(x=lambda dz, x: dz[..., None, None] * _T(np.linalg.inv(x)), dtypes=floats, name="log_abs_det")
def _log_abs_det(x):
    _check_square(x)
    return np.linalg.slogdet(x)[1]


@operation(x=None, dtypes=floats, name="sign_of_det")
def _sign_of_det(x):
    _check_square(x)
    return np.linalg.slogdet(x)[0]


def slogdet(x):
    """``(sign, log)``: the sign of the determinant, and the logarithm of its absolute value."""
    return _sign_of_det(x), _log_abs_det(x)


def logdet(x):
    """The logarithm of the determinant of a positive definite matrix."""
    return multiply(sum(log(diagonal(cholesky(x), 0, -2, -1)), -1), 2.0)


def _solve_da(dz, a, z):
    """A z = b: A dz = db - dA z."""
    db = np.linalg.solve(_T(a), dz[..., None] if dz.ndim == a.ndim - 1 else dz)
    z = z[..., None] if z.ndim == a.ndim - 1 else z
    return -db @ _T(z)


def _solve_db(dz, a):
    if dz.ndim == a.ndim - 1:
        return np.linalg.solve(_T(a), dz[..., None])[..., 0]
    return np.linalg.solve(_T(a), dz)


@operation(a=_solve_da, b=_solve_db, dtypes=floats)
def solve(a, b):
    """The z with ``a z = b``; b has an axis less than a, or columns. Raises ValueError for a matrix without inverse."""
    _check_square(a)
    if b.ndim == a.ndim - 1:
        return _solved(np.linalg.solve, a, b[..., None])[..., 0]
    return _solved(np.linalg.solve, a, b)


def solve_triangular(a, b, lower=False):
    """`solve`, reading only the upper (or lower) triangle of a."""
    return solve(tril(a) if lower else triu(a), b)


def _cholesky_dx(dz, z):
    """X = Z Z^T. Of Z^T dZ only the lower triangle counts, of its diagonal half (Murray 2016)."""
    inner = np.tril(_T(z) @ dz)
    inner -= np.tril(np.triu(inner)) / 2
    inverse = np.linalg.inv(z)
    dx = _T(inverse) @ inner @ inverse
    return (dx + _T(dx)) / 2


@operation(name="cholesky", x=_cholesky_dx, dtypes=floats)
def _cholesky(x):
    _check_square(x)
    return _solved(np.linalg.cholesky, (x + _T(x)) / 2)  # NumPy would read one triangle only


def cholesky(x, upper=False):
    """The lower triangle Z with ``Z Z^T = x`` (or the upper one, its transpose); x is symmetric, positive definite."""
    z = _cholesky(x)
    return swapaxes(z, -1, -2) if upper else z


def cholesky_inverse(x, upper=False):
    """The inverse of the matrix of which x is `cholesky`."""
    z = inv(triu(x) if upper else tril(x))
    other = swapaxes(z, -1, -2)
    return matmul(z, other) if upper else matmul(other, z)


# ---- decompositions: computed, not traced ----


def qr(x, mode="reduced"):
    """``(Q, R)`` with ``Q R = x``, Q orthogonal and R an upper triangle."""
    return np.linalg.qr(_array("qr", x), mode)


def svd(x, full_matrices=True, compute_uv=True):
    """``(U, s, V^T)`` with ``U diag(s) V^T = x``; s alone without `compute_uv`."""
    return np.linalg.svd(_array("svd", x), full_matrices, compute_uv)


def eigh(x):
    """``(values, vectors)`` of a symmetric matrix, the smallest first."""
    return np.linalg.eigh(_array("eigh", x))


def pinv(x, rcond=None):
    """The pseudo-inverse (Moore and Penrose); singular values below rcond times the largest count as 0."""
    x = _array("pinv", x)
    return np.linalg.pinv(x, max(x.shape[-2:]) * np.finfo(x.dtype).eps if rcond is None else rcond)


def lu_factor(x):
    """``(LU, pivots)`` with ``L U = P x``: U above and on the diagonal, below it L, whose diagonal is 1.

    pivots: which row each row was exchanged with, in their order, int32; always the one with the largest number in its
    column (Golub and Van Loan, algorithm 3.4.1).
    """
    lu = np.array(_array("lu_factor", x))
    n = min(lu.shape[-2:])
    pivots = np.empty((*lu.shape[:-2], n), np.int32)
    for place in np.ndindex(lu.shape[:-2]):
        a = lu[place]
        for k in range(n):
            pivots[(*place, k)] = p = k + np.abs(a[k:, k]).argmax()
            a[[k, p]] = a[[p, k]]
            if a[k, k]:
                a[k + 1 :, k] /= a[k, k]
            a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])
    return lu, pivots


def matrix_rank(x, tol=None):
    """How many singular values are larger than `tol`."""
    return np.asarray(np.linalg.matrix_rank(_array("matrix_rank", x), tol), np.int32)


def lstsq(a, b, rcond=None):
    """The x for which the squares of ``a x - b`` have the smallest sum."""
    return np.linalg.lstsq(_array("lstsq", a), _array("lstsq", b), rcond)[0]


def _array(name, x):
    if is_symbolic(x):
        raise TypeError(f"{name} has no derivative here and cannot be traced, only computed")
    return floats([x])[0]


def _solved(function, *matrices):
    try:
        return function(*matrices)
    except np.linalg.LinAlgError as problem:
        raise ValueError(str(problem)) from None
