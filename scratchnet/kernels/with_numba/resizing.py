"""Images of another size, y = A x B^T, with matrices of which each row has few weights that are not 0, side by side.

Such a matrix is given as `bands`: pixel i of a new row is

    y[i] = sum over k < K of  weights[i, k] x[first[i] + k]

Its transpose has few weights in a row, too, so the adjoint is the same kernel with the bands of A^T and B^T. An image
is resized in both directions before the next one, so what lies between the two is still in the cache.

Rows of an image are added as they are, W C numbers long. A pixel is as long as there are channels. Few of them fill no
vectors, and a loop over them ends as soon as it begins; then one loop goes over all numbers of a new row, each with a
weight of its own and the place of its old one.
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.team import by_rows

_FEW = 8  # channels that are not worth a loop of their own
_GATHERED = 4  # times as long as another takes a product of a number that has to be looked up


def resize_images(x, rows, columns):
    """Images (N, H, W, C) as (N, OH, OW, C), with the bands (first, weights) of A (OH, H) and B (OW, W)."""
    N, H, W, C = x.shape
    (first_rows, row_weights), (first_columns, column_weights) = rows, columns
    OH, OW, KH, KW = len(first_rows), len(first_columns), row_weights.shape[1], column_weights.shape[1]
    are_few = C < _FEW
    if are_few:  # from here on they are those of numbers, not of pixels
        first_columns = np.add.outer(first_columns * C, np.arange(C)).ravel()
        column_weights = np.repeat(column_weights.T, C, axis=1)  # (KW, OW C)
        KW *= _GATHERED
    columns_first = OW * (H * KW + OH * KH)
    rows_first = OH * (W * KH + OW * KW)
    y = np.empty((N, OH, OW, C), x.dtype)
    tables = (  # places without a sign: Numba need not ask whether one is counted from the end
        first_rows.astype(np.uintp),
        row_weights.astype(x.dtype, order="C"),
        first_columns.astype(np.uintp),
        column_weights.astype(x.dtype, order="C"),
    )
    work = N * C * min(columns_first, rows_first)
    by_rows(_resize, N, work, plain(x), *tables, are_few, columns_first <= rows_first, y, multiple=1)
    return y


@njit
def _resize(start, stop, x, first_rows, row_weights, first_columns, column_weights, are_few, columns_first, y):
    _, H, W, C = x.shape
    OH, OW = y.shape[1:3]
    between = np.empty((H, OW, C) if columns_first else (OH, W, C), x.dtype)
    for n in range(start, stop):
        if columns_first:
            _new_columns(x[n], first_columns, column_weights, are_few, between)
            _new_rows(between.reshape(H, OW * C), first_rows, row_weights, y[n].reshape(OH, OW * C))
        else:
            _new_rows(x[n].reshape(H, W * C), first_rows, row_weights, between.reshape(OH, W * C))
            _new_columns(between, first_columns, column_weights, are_few, y[n])


@njit(inner=True, counts=False)
def _new_columns(x, first, weights, are_few, y):
    H, W, C = x.shape
    for h in range(H):
        if are_few:
            _new_numbers(x[h].reshape(W * C), C, first, weights, y[h].reshape(y.shape[1] * C))
        else:
            _new_rows(x[h], first, weights, y[h])


@njit(inner=True, counts=False)
def _new_rows(x, first, weights, y):
    K = weights.shape[1]
    for i in range(len(y)):
        start, w, target = first[i], weights[i], y[i]
        if K == 2:
            _two_rows(x[start], x[start + np.uintp(1)], w[0], w[1], target)
            continue
        row, share = x[start], w[0]
        for c in range(target.size):
            target[c] = share * row[c]
        for k in range(1, K):
            row, share = x[start + np.uintp(k)], w[k]
            for c in range(target.size):
                target[c] += share * row[c]


@njit(inner=True, counts=False)
def _two_rows(a, b, wa, wb, y):
    for c in range(y.size):
        y[c] = wa * a[c] + wb * b[c]


@njit(inner=True, counts=False)
def _new_numbers(x, C, places, weights, y):
    row, share = x, weights[0]
    for m in range(y.size):
        y[m] = share[m] * row[places[m]]
    for k in range(1, len(weights)):
        row, share = x[k * C :], weights[k]
        for m in range(y.size):
            y[m] += share[m] * row[places[m]]
