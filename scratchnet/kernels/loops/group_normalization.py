"""Normalization of groups of channels: each sample by itself, over all its places and the channels of a group.

x is (N, M, C): M places of C channels, which make G groups of C / G channels that follow one another. Statistics are
(N, G), gamma and beta (C,).

    x_hat = (x - mean) / s        y = gamma x_hat + beta        s = sqrt(variance + epsilon)
"""

import numpy as np


def normalize_groups_forward(x, gamma, beta, G, epsilon):
    """``y, mean, s``"""
    N, M, C = x.shape
    y, mean, s = np.empty_like(x), np.zeros((N, G), x.dtype), np.empty((N, G), x.dtype)
    count = M * C // G
    for n, g in np.ndindex(N, G):
        channels = range(g * C // G, (g + 1) * C // G)
        mean[n, g] = sum(float(x[n, m, c]) for m in range(M) for c in channels) / max(count, 1)
        squares = sum(float(x[n, m, c] - mean[n, g]) ** 2 for m in range(M) for c in channels)
        s[n, g] = np.sqrt(squares / max(count, 1) + epsilon)
        for m in range(M):
            for c in channels:
                y[n, m, c] = (x[n, m, c] - mean[n, g]) / s[n, g] * gamma[c] + beta[c]
    return y, mean, s


def normalize_groups_backward(dy, x, mean, s, gamma, needs_dx=True):
    """``dx, dgamma, dbeta``, through mean and s as well; dgamma and dbeta are float64. dx is None unless needed."""
    (N, M, C), G = x.shape, mean.shape[1]
    dx, dgamma, dbeta = np.empty_like(x), np.zeros(C), np.zeros(C)
    count = M * C // G
    for n, g in np.ndindex(N, G):
        channels = range(g * C // G, (g + 1) * C // G)
        along_1 = along_x_hat = 0.0
        for m in range(M):
            for c in channels:
                x_hat = float(x[n, m, c] - mean[n, g]) / s[n, g]
                dgamma[c] += dy[n, m, c] * x_hat
                dbeta[c] += dy[n, m, c]
                along_1 += float(gamma[c]) * dy[n, m, c] / count
                along_x_hat += float(gamma[c]) * dy[n, m, c] * x_hat / count
        for m in range(M):
            for c in channels:
                x_hat = float(x[n, m, c] - mean[n, g]) / s[n, g]
                dx[n, m, c] = (float(gamma[c]) * dy[n, m, c] - along_1 - along_x_hat * x_hat) / s[n, g]
    return dx if needs_dx else None, dgamma, dbeta
