"""Looking up rows in a table, and the adjoint: each row of the table belongs to one thread, which adds in order."""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.team import by_rows


def take_rows(W, index):
    y = np.empty((len(index), W.shape[1]), W.dtype)
    by_rows(_take_rows, len(index), y.size, plain(W), plain(index), y)
    return y


def add_rows(dy, index, V):
    dW = np.empty((V, dy.shape[1]), dy.dtype)
    by_rows(_add_rows, V, dW.size + dy.size, plain(dy), plain(index), dW)
    return dW


@njit
def _take_rows(first, stop, W, index, y):
    for m in range(first, stop):
        row, target = W[index[m]], y[m]
        for d in range(target.size):
            target[d] = row[d]


@njit
def _add_rows(first, stop, dy, index, dW):
    dW[first:stop] = 0
    for m in range(len(dy)):
        if first <= index[m] < stop:
            row, target = dy[m], dW[index[m]]
            for d in range(target.size):
                target[d] += row[d]
