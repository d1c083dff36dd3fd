"""Decompositions of the matrices in the last two axes, and what is made of them.

A decomposition has several parts. They come out of one operation as one array, one part below the other, and are cut
out of it; so there is one adjoint, in which all parts meet. Of the symmetric ``X = V diag(w) V^T``, and with
``F_ij = 1 / (w_j - w_i)`` beside a diagonal of zeros,

    adjoint of X = V (diag(dw) + F * (V^T dV)) V^T

and of the others likewise (Giles, "An extended collection of matrix derivative results", 2008; Townsend,
"Differentiating the singular value decomposition", 2016; Golub and Pereyra, "The differentiation of pseudo-inverses",
1973). Where two values are equal, V may turn between them, and F counts as 0.
"""

import numpy as np

from scratchnet.ops.dtypes import floats
from scratchnet.ops.linear import matmul
from scratchnet.ops.norms import singular_values
from scratchnet.ops.operation import is_symbolic, operation, shape_of
from scratchnet.ops.selection import get_item
from scratchnet.ops.shapes import swapaxes
from scratchnet.ops.trial import Unfit


def _T(x):
    return x.swapaxes(-1, -2)


def _inverse_gaps(values):
    """F_ij = 1 / (values_j - values_i); 0 on the diagonal and for equal ones."""
    gaps = values[..., None, :] - values[..., :, None]
    return np.divide(1, gaps, where=gaps != 0, out=np.zeros_like(gaps))


def _rows(z, first, last):
    return get_item(z, (Ellipsis, slice(first, last), slice(None)))


# ---- symmetric: X = V diag(w) V^T ----


def _eigh_dx(dz, z):
    w, V, dw, dV = z[..., 0, :], z[..., 1:, :], dz[..., 0, :], dz[..., 1:, :]
    dx = V @ (dw[..., None] * np.eye(len(w.T)) + _inverse_gaps(w) * (_T(V) @ dV)) @ _T(V)
    return (dx + _T(dx)) / 2


@operation(name="eigh_in_one", x=_eigh_dx, dtypes=floats)
def _eigh(x):
    """(..., 1 + n, n): the values, and below them V."""
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise Unfit("the last two axes must be of one size")
    w, V = np.linalg.eigh((x + _T(x)) / 2)  # NumPy would read one triangle only
    return np.concatenate([w[..., None, :], V], axis=-2)


def eigh(x):
    """``(values, vectors)`` of a symmetric matrix, the smallest first."""
    z = _eigh(x)
    return get_item(z, (Ellipsis, 0, slice(None))), _rows(z, 1, None)


# ---- singular values: X = U diag(s) V^T ----


def _svd_dx(dz, z, x_shape):
    m = x_shape[-2]
    (U, s, V), (dU, ds, dV) = ((a[..., :m, :], a[..., m, :], a[..., m + 1 :, :]) for a in (z, dz))
    F, S = _inverse_gaps(s * s), s[..., None, :]
    inverse = np.divide(1, S, where=S > 0, out=np.zeros_like(S))
    turned_U, turned_V = _T(U) @ dU, _T(V) @ dV
    inner = (
        F * (turned_U - _T(turned_U)) * S + _T(S) * F * (turned_V - _T(turned_V)) + ds[..., None, :] * np.eye(len(s.T))
    )
    dx = U @ inner @ _T(V)
    dx += (dU - U @ turned_U) * inverse @ _T(V)
    return dx + U @ _T((dV - V @ turned_V) * inverse)


@operation(name="svd_in_one", x=_svd_dx, dtypes=floats)
def _svd(x):
    """(..., m + 1 + n, k): U, the values, and V."""
    U, s, VT = np.linalg.svd(x, full_matrices=False)
    return np.concatenate([U, s[..., None, :], _T(VT)], axis=-2)


@operation(name="all_singular_vectors", x=None, dtypes=floats, options=("right",))
def _all_vectors(x, right):
    U, _, VT = np.linalg.svd(x, full_matrices=True)
    return VT if right else U


def svd(x, full_matrices=True, compute_uv=True):
    """``(U, s, V^T)`` with ``U diag(s) V^T = x``; s alone without `compute_uv`.

    With `full_matrices` U and V are square. The columns that are added have no derivative; then U and V have none.
    """
    if not is_symbolic(x):
        return np.linalg.svd(_array(x), full_matrices, compute_uv)
    if not compute_uv:
        return singular_values(x)
    m, n = _known_sizes("svd", x)
    if full_matrices and m != n:
        return _all_vectors(x, False), singular_values(x), _all_vectors(x, True)
    z = _svd(x)
    return _rows(z, None, m), get_item(z, (Ellipsis, m, slice(None))), swapaxes(_rows(z, m + 1, None), -1, -2)


# ---- Q R ----


def _qr_dx(dz, z, x_shape):
    """X = Q R: the part of dQ that turns Q, together with dR, must be a symmetric matrix of which one half counts."""
    m = x_shape[-2]
    (Q, R), (dQ, dR) = ((a[..., :m, :], a[..., m:, :]) for a in (z, dz))
    inner = R @ _T(dR) - _T(dQ) @ Q
    inner = np.tril(inner) + _T(np.tril(inner, -1))
    return _T(np.linalg.solve(R, _T(dQ + Q @ inner)))


@operation(name="qr_in_one", x=_qr_dx, dtypes=floats)
def _qr(x):
    """(..., m + n, n): Q, and below it R."""
    return np.concatenate(np.linalg.qr(x), axis=-2)


def qr(x, mode="reduced"):
    """``(Q, R)`` with ``Q R = x``, Q orthogonal and R an upper triangle."""
    if not is_symbolic(x):
        return np.linalg.qr(_array(x), mode)
    m, n = _known_sizes("qr", x)
    if m < n or (mode != "reduced" and m != n):
        raise ValueError(f"qr: traced are only matrices with at least as many rows as columns, reduced, got {m} x {n}")
    z = _qr(x)
    return _rows(z, None, m), _rows(z, m, None)


# ---- the pseudo-inverse ----


def _pinv_dx(dz, x, z):
    """Z = X^+: dZ = -Z dX Z + Z Z^T dX^T (1 - X Z) + (1 - Z X) dX^T Z^T Z, for a rank that stays."""
    dx = -_T(z) @ dz @ _T(z)
    dx += (np.eye(x.shape[-2]) - x @ z) @ _T(dz) @ z @ _T(z)
    return dx + _T(z) @ z @ _T(dz) @ (np.eye(x.shape[-1]) - z @ x)


@operation(x=_pinv_dx, dtypes=floats)
def pinv(x, rcond=None):
    """The pseudo-inverse (Moore and Penrose); singular values below rcond times the largest count as 0."""
    return np.linalg.pinv(x, max(x.shape[-2:]) * np.finfo(x.dtype).eps if rcond is None else rcond)


def lstsq(a, b, rcond=None):
    """The x for which the squares of ``a x - b`` have the smallest sum."""
    if is_symbolic(a) or is_symbolic(b):
        return matmul(pinv(a, rcond), b)
    return np.linalg.lstsq(*floats([a, b]), rcond)[0]


# ---- computed, not traced ----


def lu_factor(x):
    """``(LU, pivots)`` with ``L U = P x``: U above and on the diagonal, below it L, whose diagonal is 1.

    pivots: which row each row was exchanged with, in their order, int32; always the one with the largest number in its
    column (Golub and Van Loan, algorithm 3.4.1).
    """
    if is_symbolic(x):
        raise TypeError("lu_factor has no derivative here and cannot be traced, only computed")
    lu = np.array(_array(x))
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


@operation(x=None, dtypes=floats)
def matrix_rank(x, tol=None):
    """How many singular values are larger than `tol`, int32."""
    return np.asarray(np.linalg.matrix_rank(x, tol), np.int32)


def _known_sizes(name, x):
    m, n = shape_of(x)[-2:]
    if m is None or n is None:
        raise ValueError(f"{name}: the sizes of the matrices must be known, got the shape {shape_of(x)}")
    return m, n


def _array(x):
    return floats([x])[0]
