"""The mean and the largest value of all places, vectorised."""

import numpy as np

_RUN = 256  # places that are added up one after the other: of very many the total would lose digits


def global_average_forward(x):
    N, M, C = x.shape
    rest = M % _RUN
    total = _sum_over_places(x[:, M - rest :])
    if M > rest:
        total += _sum_over_places(x[:, : M - rest].reshape(N, M // _RUN, _RUN, C)).sum(axis=1)
    return total / x.dtype.type(M)


def _sum_over_places(x):
    """The sum over the last axis but one; a product is quicker than a sum over rows."""
    return np.matmul(np.ones(x.shape[-2], x.dtype), x)


def global_average_backward(dy, M):
    N, C = dy.shape
    return np.repeat(dy * dy.dtype.type(1 / M), M, axis=0).reshape(N, M, C)


def global_max_forward(x):
    return x.max(axis=1)


def global_max_backward(dy, x, y):
    is_largest = x == y[:, np.newaxis]  # (N, M, C)
    count = np.matmul(np.ones(x.shape[1], x.dtype), is_largest.astype(x.dtype))  # (N, C)
    return is_largest * (dy / np.where(count == 0, x.dtype.type(np.nan), count))[:, np.newaxis]
