"""Looking up rows in a table, and the adjoint: each row of the table belongs to one thread, which adds in order.

Of the mean of the rows that a sample names, as of the words of a text, nothing else goes to memory.
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.team import by_rows

_RUN = 64  # rows that are added up one after the other, so that of a long text no digits are lost


def take_rows(W, index):
    y = np.empty((len(index), W.shape[1]), W.dtype)
    by_rows(_take_rows, len(index), y.size, plain(W), plain(index), y)
    return y


def add_rows(dy, index, V):
    dW = np.empty((V, dy.shape[1]), dy.dtype)
    by_rows(_add_rows, V, dW.size + dy.size, plain(dy), plain(index), dW)
    return dW


def mean_of_rows(W, index):
    """``W[index].mean(axis=1)``: (V, D), (N, T) -> (N, D)."""
    y = np.empty((len(index), W.shape[1]), W.dtype)
    by_rows(_mean_of_rows, len(index), index.size * W.shape[1], plain(W), plain(index), y)
    return y


def add_mean_rows(dy, index, V):
    """The adjoint: dW (V, D) for dy (N, D) and index (N, T)."""
    dW = np.empty((V, dy.shape[1]), dy.dtype)
    by_rows(_add_mean_rows, V, dW.size + index.size * dy.shape[1], plain(dy), plain(index), dW)
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


@njit
def _mean_of_rows(first, stop, W, index, y):
    T, D = index.shape[1], W.shape[1]
    count, total, few = W.dtype.type(T), np.empty(D, W.dtype), np.empty(D, W.dtype)
    for n in range(first, stop):
        total[:] = 0
        for begin in range(0, T, _RUN):
            few[:] = 0
            for t in range(begin, min(begin + _RUN, T)):
                row = W[index[n, t]]
                for d in range(D):
                    few[d] += row[d]
            for d in range(D):
                total[d] += few[d]
        target = y[n]
        for d in range(D):
            target[d] = total[d] / count


@njit
def _add_mean_rows(first, stop, dy, index, dW):
    (N, T), D = index.shape, dW.shape[1]
    share, part = dy.dtype.type(1) / dy.dtype.type(T), np.empty(D, dy.dtype)
    dW[first:stop] = 0
    for n in range(N):
        source = dy[n]
        for d in range(D):
            part[d] = source[d] * share
        for t in range(T):
            if first <= index[n, t] < stop:
                target = dW[index[n, t]]
                for d in range(D):
                    target[d] += part[d]
