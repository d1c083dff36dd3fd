"""The mean and the largest value of all places, vectorised."""

import numpy as np


def global_average_forward(x):
    M = x.shape[1]
    return np.matmul(np.ones(M, x.dtype), x) / x.dtype.type(M)  # a product is quicker than a sum over rows


def global_average_backward(dy, M):
    N, C = dy.shape
    return np.repeat(dy * dy.dtype.type(1 / M), M, axis=0).reshape(N, M, C)


def global_max_forward(x):
    return x.max(axis=1)


def global_max_backward(dy, x, y):
    is_largest = x == y[:, np.newaxis]  # (N, M, C)
    count = np.matmul(np.ones(x.shape[1], x.dtype), is_largest.astype(x.dtype))  # (N, C)
    return is_largest * (dy / np.where(count == 0, x.dtype.type(np.nan), count))[:, np.newaxis]
