"""The mean and the largest value of all places, as they are defined: (N, M, C) -> (N, C).

Of the largest, equal ones share what comes back.
"""

import numpy as np


def global_average_forward(x):
    """y[n, c] = 1 / M  sum over p of x[n, p, c]"""
    N, M, C = x.shape
    y = np.zeros((N, C), x.dtype)
    for n, c in np.ndindex(N, C):
        for p in range(M):
            y[n, c] += x[n, p, c]
        y[n, c] /= M
    return y


def global_average_backward(dy, M):
    """dx[n, p, c] = dy[n, c] / M"""
    N, C = dy.shape
    dx = np.zeros((N, M, C), dy.dtype)
    for n, p, c in np.ndindex(N, M, C):
        dx[n, p, c] = dy[n, c] / M
    return dx


def global_max_forward(x):
    """y (N, C). NaN wins over any number."""
    N, M, C = x.shape
    y = np.empty((N, C), x.dtype)
    for n, c in np.ndindex(N, C):
        best = x[n, 0, c]
        for m in range(1, M):
            value = x[n, m, c]
            if value > best or (np.isnan(value) and not np.isnan(best)):
                best = value
        y[n, c] = best
    return y


def global_max_backward(dy, x, y):
    """dx: dy in equal shares to all values that are the largest; NaN to all where that is NaN, which nothing equals."""
    N, M, C = x.shape
    dx = np.zeros(x.shape, x.dtype)
    for n, c in np.ndindex(N, C):
        largest = [m for m in range(M) if x[n, m, c] == y[n, c]]
        dx[n, largest or slice(None), c] = dy[n, c] / len(largest) if largest else np.nan
    return dx
