"""Linear algebra of the matrices in the last two axes.

The adjoints follow from the differential of what is computed (Giles, "An extended collection of matrix derivative
results", 2008): of ``Z = A^-1``, ``dZ = -Z dA Z``, and therefore ``adjoint of A = -Z^T (adjoint of Z) Z^T``.
"""

import numpy as np

from scratchnet.ops.decompositions import (  # noqa: F401 (for those who import this module)
    eigh,
    lstsq,
    lu_factor,
    matrix_rank,
    pinv,
    qr,
    svd,
)
from scratchnet.ops.diagonals import diagonal, tril, triu
from scratchnet.ops.dtypes import floats
from scratchnet.ops.elementwise import log, multiply
from scratchnet.ops.linear import matmul
from scratchnet.ops.norms import norm  # noqa: F401 (for those who import this module)
from scratchnet.ops.operation import operation
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


def _solved(function, *matrices):
    try:
        return function(*matrices)
    except np.linalg.LinAlgError as problem:
        raise ValueError(str(problem)) from None
