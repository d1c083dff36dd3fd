"""The adjoint of looking up rows in a table, as it is defined: each row is added to the one it was copied from."""

import numpy as np


def add_rows(dy, index, V):
    """dW (V, D) of ``y = W[index]`` for dy (M, D), index (M,): the sum of the rows of dy for the same row of W."""
    M, D = dy.shape
    dW = np.zeros((V, D), dy.dtype)
    for m in range(M):
        for d in range(D):
            dW[index[m], d] += dy[m, d]
    return dW
