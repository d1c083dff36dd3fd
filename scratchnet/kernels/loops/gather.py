"""Looking up rows in a table, and the adjoint of that: each row is added to the one it was copied from."""

import numpy as np


def take_rows(W, index):
    """``y = W[index]``: the rows (M, D) of W (V, D) that index (M,) names."""
    y = np.empty((len(index), W.shape[1]), W.dtype)
    for m in range(len(index)):
        y[m] = W[index[m]]
    return y


def add_rows(dy, index, V):
    """dW (V, D) of ``y = W[index]`` for dy (M, D), index (M,): the sum of the rows of dy for the same row of W."""
    M, D = dy.shape
    dW = np.zeros((V, D), dy.dtype)
    for m in range(M):
        for d in range(D):
            dW[index[m], d] += dy[m, d]
    return dW
