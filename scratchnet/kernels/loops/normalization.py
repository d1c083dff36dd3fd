"""Normalization of channels and of rows: their means and variances, what is made of them, and what comes back.

Of channels x is (G, M, C): of each of G groups every channel has M values, which are normalized together. A batch is
one group (batch normalization); where each sample is by itself, it is one. Statistics are (G, C), and sums are float64;
gamma and beta are (C,).

    x_hat = (x - mean) / s        y = gamma x_hat + beta
    dx = (gamma dy - along_1 - along_x_hat x_hat) / s

Of rows x is (M, D): each of the M rows is normalized by itself (layer normalization), or only divided by the root of
its mean square, if it is not to be `centered`. Statistics are (M,), gamma and beta (D,).
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


def normalize_rows_forward(x, gamma, beta, epsilon, centered=True):
    """``y, mean, s`` with ``s = sqrt(variance + epsilon)``."""
    M, D = x.shape
    y, mean, s = np.empty_like(x), np.zeros(M, x.dtype), np.empty(M, x.dtype)
    for m in range(M):
        if centered:
            mean[m] = sum(float(x[m, d]) for d in range(D)) / D
        variance = sum(float(x[m, d] - mean[m]) ** 2 for d in range(D)) / D
        s[m] = np.sqrt(variance + epsilon)
        for d in range(D):
            y[m, d] = (x[m, d] - mean[m]) / s[m] * gamma[d] + beta[d]
    return y, mean, s


def normalize_rows_backward(dy, x, mean, s, gamma, centered=True, needs_dx=True):
    """``dx, dgamma, dbeta``, through mean and s as well; dgamma and dbeta are float64. dx is None unless needed."""
    M, D = x.shape
    dx, dgamma, dbeta = np.empty_like(x), np.zeros(D), np.zeros(D)
    for m in range(M):
        x_hat = [float(x[m, d] - mean[m]) / s[m] for d in range(D)]
        dx_hat = [float(gamma[d]) * dy[m, d] for d in range(D)]  # y = gamma x_hat + beta
        along_1 = sum(dx_hat) / D if centered else 0.0
        along_x_hat = sum(dx_hat[d] * x_hat[d] for d in range(D)) / D
        for d in range(D):
            dx[m, d] = (dx_hat[d] - along_1 - along_x_hat * x_hat[d]) / s[m]
            dgamma[d] += dy[m, d] * x_hat[d]
            dbeta[d] += dy[m, d]
    return dx if needs_dx else None, dgamma, dbeta
