"""Normalization of groups of channels, vectorised: what is a row of its own is the places of a group, and its channels.

With x as (N, M, G, C / G), statistics are (N, 1, G, 1).
"""

import numpy as np

_GROUP = 1, 3  # the axes of places, and of a group's channels


def normalize_groups_forward(x, gamma, beta, G, epsilon):
    of_groups = _by_group(x, G)
    mean = (of_groups.sum(_GROUP, np.float64, keepdims=True) / _count(of_groups)).astype(x.dtype)
    y = of_groups - mean
    squares = np.square(y).sum(_GROUP, np.float64, keepdims=True)
    s = np.sqrt(squares / _count(of_groups) + epsilon).astype(x.dtype)
    y /= s  # in its place: new memory takes longer than the division
    y = y.reshape(x.shape)
    y *= gamma.astype(x.dtype, copy=False)
    y += beta.astype(x.dtype, copy=False)
    return y, mean.reshape(-1, G), s.reshape(-1, G)


def normalize_groups_backward(dy, x, mean, s, gamma, needs_dx=True):
    G = mean.shape[1]
    mean, s = (a.reshape(-1, 1, G, 1) for a in (mean, s))
    x_hat = (_by_group(x, G) - mean) / s
    dgamma = (dy * x_hat.reshape(x.shape)).sum((0, 1), np.float64)
    dbeta = dy.sum((0, 1), np.float64)
    if not needs_dx:
        return None, dgamma, dbeta
    dx = _by_group(gamma.astype(x.dtype, copy=False) * dy, G)
    along_1 = (dx.sum(_GROUP, np.float64, keepdims=True) / _count(dx)).astype(x.dtype)
    along_x_hat = ((dx * x_hat).sum(_GROUP, np.float64, keepdims=True) / _count(dx)).astype(x.dtype)
    dx -= along_1
    dx -= np.multiply(x_hat, along_x_hat, out=x_hat)
    dx /= s
    return dx.reshape(x.shape), dgamma, dbeta


def _by_group(x, G):
    N, M, C = x.shape
    return x.reshape(N, M, G, C // G)


def _count(of_groups):
    """Over how many numbers a mean is taken."""
    return max(of_groups.shape[1] * of_groups.shape[3], 1)
