"""Normalization of channels and of rows, vectorised: a pass over the array for each operation."""

import numpy as np


def channel_moments(x):
    mean = x.sum(axis=1, dtype=np.float64) / max(x.shape[1], 1)
    centered = x - _as(mean, x)
    return mean, np.square(centered, out=centered).sum(axis=1, dtype=np.float64)


def normalize_forward(x, mean, s, gamma, beta, low=-np.inf, high=np.inf):
    y = x - _as(mean, x)
    y /= _as(s, x)  # in its place: new memory takes longer than the division
    y *= gamma.astype(x.dtype, copy=False)
    y += beta.astype(x.dtype, copy=False)
    if (low, high) != (-np.inf, np.inf):
        np.clip(y, low, high, out=y)
    return y


def channel_products(dy, x, mean, s):
    x_hat = (x - _as(mean, x)) / _as(s, x)
    return dy.sum(axis=1, dtype=np.float64), np.multiply(dy, x_hat, out=x_hat).sum(axis=1, dtype=np.float64)


def normalize_backward(dy, x, mean, s, gamma, along_1, along_x_hat):
    x_hat = (x - _as(mean, x)) / _as(s, x)
    dx = gamma.astype(x.dtype, copy=False) * dy
    dx -= _as(along_1, x)
    dx -= np.multiply(x_hat, _as(along_x_hat, x), out=x_hat)
    dx /= _as(s, x)
    return dx


def normalize_rows_forward(x, gamma, beta, epsilon, centered=True):
    mean = x.mean(axis=1, dtype=np.float64).astype(x.dtype) if centered else np.zeros(len(x), x.dtype)
    y = x - mean[:, np.newaxis]
    s = np.sqrt(np.square(y).mean(axis=1, dtype=np.float64) + epsilon).astype(x.dtype)
    y /= s[:, np.newaxis]
    y *= gamma.astype(x.dtype, copy=False)
    y += beta.astype(x.dtype, copy=False)
    return y, mean, s


def normalize_rows_backward(dy, x, mean, s, gamma, centered=True, needs_dx=True):
    x_hat = (x - mean[:, np.newaxis]) / s[:, np.newaxis]
    sums = (dy * x_hat).sum(axis=0, dtype=np.float64), dy.sum(axis=0, dtype=np.float64)
    if not needs_dx:
        return None, *sums
    dx = gamma.astype(x.dtype, copy=False) * dy
    along_x_hat = (dx * x_hat).mean(axis=1, keepdims=True)
    if centered:
        dx -= dx.mean(axis=1, keepdims=True)
    dx -= along_x_hat * x_hat
    dx /= s[:, np.newaxis]
    return dx, *sums


def _as(statistics, x):
    """(G, C) in x's dtype, against (G, M, C)."""
    return statistics.astype(x.dtype, copy=False)[:, np.newaxis]
