"""``y = x W + b``, a relu behind it if there is one, and all that comes back, piece by piece of the rows.

A piece and what belongs to it stay in the cache: so the bias and relu, and backwards relu's slope and the sum that is
db, cost no way to memory. The rows are those of a fully connected layer, or the pixels of a convolution whose window is
one of them.
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.elementwise import relu as with_relu
from scratchnet.kernels.with_numba.matrix_product import (
    add_matmul_by,
    goes_by_columns,
    is_in_tiles,
    matmul,
    matmul_into_by,
    multiple_of_columns,
    multiplier,
    product_of_columns,
)
from scratchnet.kernels.with_numba.team import added, by_rows, shares, sums_of
from scratchnet.kernels.with_numba.tile import VECTOR_BYTES

_CACHE = 256 * 1024  # bytes to work on at a time
_WHOLE = 2 << 20  # bytes that go through in one piece as quickly


def affine_forward(x, W, b, relu=False, most=np.inf):
    """y (M, F) for x (M, C), W (C, F), and b (F,) or None; a relu leaves at most `most`."""
    x, W = _alike(x, W)
    M, F = len(x), W.shape[1]
    if is_in_tiles(x, W):
        y = np.empty((M, F), x.dtype)
        b = np.zeros(F, x.dtype) if b is None else plain(b)
        bounds = x.dtype.type(0 if relu else -np.inf), x.dtype.type(most)
        if shares(M * W.size) and goes_by_columns(M, W):
            multiple = multiple_of_columns(y)
            by_rows(_columns_forward, F, M * W.size, multiplier(x.dtype), x, W, b, *bounds, y, multiple=multiple)
            return y
        rows = M if W.nbytes > _WHOLE or M <= _rows(W, _WHOLE) else _rows(W)
        by_rows(_forward, M, M * W.size, multiplier(x.dtype), x, W, b, *bounds, rows, y)
        return y
    y = matmul(x, W)
    if b is not None:
        y += b
    return with_relu(y, y, most) if relu else y


def affine_backward(dy, x, W, needs_dx=True, relu_output=None):
    """``dx, dW, db``, dx None without `needs_dx`; `relu_output` is y where there was a relu."""
    dy, x, W = _alike(dy, x, W)
    relu, y = relu_output is not None, dy if relu_output is None else plain(relu_output)
    if _is_one_piece(x, W):
        if relu:
            dz, db = np.empty(dy.shape, dy.dtype), np.zeros(W.shape[1], x.dtype)
            slopes(dy, y, relu, dz, db)
        else:
            dz, db = dy, np.ones(len(dy), dy.dtype).dot(dy)  # a product is quicker than a sum over rows
        return matmul(dz, W.T) if needs_dx else None, matmul(x.T, dz), db
    sums = sums_of(len(x))
    dx = np.empty(x.shape, x.dtype) if needs_dx else x[:0]
    dW, db = np.empty((sums, *W.shape), x.dtype), np.empty((sums, W.shape[1]), x.dtype)
    work = len(x) * W.size
    by_rows(_backward, sums, work, multiplier(x.dtype), dy, y, relu, x, W, _rows(W), dx, dW, db, multiple=1)
    return dx if needs_dx else None, added(dW), added(db)


def is_narrow(shape, itemsize):
    """Whether columns of W are too few to fill vectors: for those `matmul` has ways of its own."""
    return min(shape) * itemsize < 2 * VECTOR_BYTES


def _is_one_piece(x, W):
    """Whether product and all else go one after the other: dW is rounded by it, so that shapes alone may decide."""
    return is_narrow(W.shape, W.itemsize) or len(x) <= _rows(W, _WHOLE)


def _alike(*matrices):
    """As kernels want them. Raises TypeError for matrices of several dtypes."""
    dtypes = [matrix.dtype for matrix in matrices]
    if dtypes.count(dtypes[0]) < len(dtypes):
        raise TypeError(f"expected matrices of one dtype, got {', '.join(map(str, dtypes))}")
    return [plain(matrix) for matrix in matrices]


def _rows(W, size=_CACHE):
    """How many rows of x and y there are in a piece of `size` bytes."""
    return max(256, size // (sum(W.shape) * W.itemsize))


@njit
def _forward(first, stop, times, x, W, b, least, most, rows, y):
    for m in range(first, stop, rows):
        end = min(m + rows, stop)
        matmul_into_by(times, x[m:end], W, y[m:end])
        for n in range(m, end):
            y_n = y[n]
            for f in range(b.size):
                y_n[f] = min(max(y_n[f] + b[f], least), most)  # NaN stays NaN


@njit
def _columns_forward(first, stop, times, x, W, b, least, most, y):
    part, bias = product_of_columns(times, x, W, first, stop), b[first:stop]
    for n in range(len(y)):
        y_n, part_n = y[n, first:stop], part[n]
        for f in range(bias.size):
            y_n[f] = min(max(part_n[f] + bias[f], least), most)


@njit
def _backward(first, stop, times, dy, y, relu, x, W, rows, dx, dW, db):
    """The sums over all rows are `len(dW)` sums, each over a part of them."""
    M, sums = len(x), len(dW)
    needs_dx = len(dx) > 0
    room = np.empty((rows if relu else 0, db.shape[1]), dy.dtype)
    for part in range(first, stop):
        dW[part], db[part] = 0, 0
        last = M * (part + 1) // sums
        for m in range(M * part // sums, last, rows):
            end = min(m + rows, last)
            dz = room[: end - m] if relu else dy[m:end]
            slopes(dy[m:end], y[m:end], relu, dz, db[part])
            add_matmul_by(times, x[m:end].T, dz, dW[part])
            if needs_dx:
                matmul_into_by(times, dz, W.T, dx[m:end])


@njit
def slopes(dy, y, relu, dz, db):
    """dz = dy where y = relu(z) > 0, else 0; without relu dz is dy already. db += the sum over the rows of dz."""
    zero = dy.dtype.type(0)
    for m in range(len(dz)):
        d, y_m, dz_m = dy[m], y[m], dz[m]
        if relu:
            for f in range(db.size):
                dz_m[f] = d[f] if y_m[f] > zero else zero
        for f in range(db.size):
            db[f] += dz_m[f]
