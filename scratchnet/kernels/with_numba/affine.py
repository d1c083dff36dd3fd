"""``y = x W + b``, a relu behind it if there is one, and all that comes back, piece by piece of the rows.

A piece and what belongs to it stay in the cache: so the bias and relu, and backwards relu's slope and the sum that is
db, cost no way to memory. The rows are those of a fully connected layer, or the pixels of a convolution whose window is
one of them.
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.matrix_product import add_matmul_by, matmul, matmul_into_by, multiplier
from scratchnet.kernels.with_numba.tile import VECTOR_BYTES

_CACHE = 256 * 1024  # bytes to work on at a time
_WHOLE = 2 << 20  # bytes that go through in one piece as quickly, and a team can share the products


def affine_forward(x, W, b, relu=False):
    """y (M, F) for x (M, C), W (C, F), and b (F,) or None."""
    x, W = _alike(x, W)
    b = np.zeros(W.shape[1], x.dtype) if b is None else plain(b)
    if _is_one_piece(x, W):
        y = matmul(x, W)
        _finish(y, b, relu)
        return y
    y = np.empty((len(x), W.shape[1]), x.dtype)
    _forward(multiplier(x.dtype), x, W, b, relu, _rows(W), y)
    return y


def affine_backward(dy, x, W, needs_dx=True, relu_output=None):
    """``dx, dW, db``, dx None without `needs_dx`; `relu_output` is y where there was a relu."""
    dy, x, W = _alike(dy, x, W)
    relu, y = relu_output is not None, dy if relu_output is None else plain(relu_output)
    db = np.zeros(W.shape[1], x.dtype)
    if _is_one_piece(x, W):
        dz = np.empty(dy.shape, dy.dtype) if relu else dy
        _slopes(dy, y, relu, dz, db)
        return matmul(dz, W.T) if needs_dx else None, matmul(x.T, dz), db
    dx, dW = np.empty(x.shape, x.dtype) if needs_dx else x[:0], np.zeros(W.shape, x.dtype)
    _backward(multiplier(x.dtype), dy, y, relu, x, W.T, _rows(W), dx, dW, db)
    return dx if needs_dx else None, dW, db


def is_narrow(W):
    """Whether columns are too few to fill vectors: for those `matmul` has ways of its own."""
    return min(W.shape) * W.itemsize < 2 * VECTOR_BYTES


def _is_one_piece(x, W):
    """Whether product and all else go one after the other: dW is rounded by it, so that shapes alone may decide."""
    return is_narrow(W) or len(x) <= _rows(W, _WHOLE)


def _alike(*matrices):
    """As kernels want them. Raises TypeError for matrices of several dtypes."""
    if len({matrix.dtype for matrix in matrices}) > 1:
        raise TypeError(f"expected matrices of one dtype, got {', '.join(str(m.dtype) for m in matrices)}")
    return [plain(matrix) for matrix in matrices]


def _rows(W, size=_CACHE):
    """How many rows of x and y there are in a piece of `size` bytes."""
    return max(256, size // (sum(W.shape) * W.itemsize))


@njit
def _forward(times, x, W, b, relu, rows, y):
    for m in range(0, len(x), rows):
        matmul_into_by(times, x[m : m + rows], W, y[m : m + rows])
        _finish(y[m : m + rows], b, relu)


@njit
def _finish(z, b, relu):
    """z += b, and relu if there is one."""
    zero = z.dtype.type(0)
    for m in range(len(z)):
        z_m = z[m]
        for f in range(b.size):
            total = z_m[f] + b[f]
            z_m[f] = max(total, zero) if relu else total


@njit
def _backward(times, dy, y, relu, x, W_T, rows, dx, dW, db):
    needs_dx = len(dx) > 0
    room = np.empty((rows if relu else 0, db.size), dy.dtype)
    for m in range(0, len(x), rows):
        dz = dy[m : m + rows]
        if relu:
            dz = room[: len(dz)]
        _slopes(dy[m : m + rows], y[m : m + rows], relu, dz, db)
        add_matmul_by(times, x[m : m + rows].T, dz, dW)
        if needs_dx:
            matmul_into_by(times, dz, W_T, dx[m : m + rows])


@njit
def _slopes(dy, y, relu, dz, db):
    """dz = dy where y = relu(z) > 0, else 0; without relu dz is dy already. db += the sum over the rows of dz."""
    zero = dy.dtype.type(0)
    for m in range(len(dz)):
        d, y_m, dz_m = dy[m], y[m], dz[m]
        if relu:
            for f in range(db.size):
                dz_m[f] = d[f] if y_m[f] > zero else zero
        for f in range(db.size):
            db[f] += dz_m[f]
