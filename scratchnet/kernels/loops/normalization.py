"""Normalization of channels: their means and variances, what is made of them, and what comes back.

x is (G, M, C): of each of G groups every channel has M values, which are normalized together. A batch is one group
(batch normalization); where each sample is by itself, it is one (group normalization). Statistics are (G, C), and sums
are float64; gamma and beta are (C,).

    x_hat = (x - mean) / s        y = gamma x_hat + beta
    dx = (gamma dy - along_1 - along_x_hat x_hat) / s
"""

import numpy as np


def channel_moments(x):
    """``mean, squares``: the mean of each channel, and the sum of ``(x - mean)^2``; both (G, C)."""
    G, M, C = x.shape
    mean, squares = np.zeros((G, C)), np.zeros((G, C))
    for g, c in np.ndindex(G, C):
        for m in range(M):
            mean[g, c] += x[g, m, c] / M
        for m in range(M):
            squares[g, c] += (x[g, m, c] - mean[g, c]) ** 2
    return mean, squares


def normalize_forward(x, mean, s, gamma, beta, low=-np.inf, high=np.inf):
    """y, cut off at `low` and `high`: so a relu behind it can be included."""
    y = np.empty_like(x)
    for g, m, c in np.ndindex(*x.shape):
        z = (x[g, m, c] - mean[g, c]) / s[g, c] * gamma[c] + beta[c]
        z = low if z < low else z  # NaN stays NaN
        y[g, m, c] = high if z > high else z
    return y


def channel_products(dy, x, mean, s):
    """``sum(dy), sum(dy x_hat)`` of each channel, (G, C)."""
    G, M, C = x.shape
    of_1, of_x_hat = np.zeros((G, C)), np.zeros((G, C))
    for g, m, c in np.ndindex(G, M, C):
        of_1[g, c] += dy[g, m, c]
        of_x_hat[g, c] += dy[g, m, c] * (x[g, m, c] - mean[g, c]) / s[g, c]
    return of_1, of_x_hat


def normalize_backward(dy, x, mean, s, gamma, along_1, along_x_hat):
    """dx; `along_1` and `along_x_hat` (G, C) are what of gamma dy moves the statistics alone."""
    dx = np.empty_like(x)
    for g, m, c in np.ndindex(*x.shape):
        x_hat = (x[g, m, c] - mean[g, c]) / s[g, c]
        dx[g, m, c] = (gamma[c] * dy[g, m, c] - along_1[g, c] - along_x_hat[g, c] * x_hat) / s[g, c]
    return dx
