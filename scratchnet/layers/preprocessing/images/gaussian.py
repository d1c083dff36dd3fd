"""Images smoothed by a bell: each pixel as a mean of those around it, whose weights fall off with the distance.

    y = A x B^T        A[i, k] = g(k - i)        g(d) = exp(-d^2 / (2 sigma^2)) / sum        for |d| <= size // 2

A for rows, B for columns; beyond the border there is nothing, so the border gets darker. Both are symmetric, so
dx = A dy B^T.
"""

import numpy as np


def blurred(x, sizes, sigmas):
    """Images (N, H, W, C) smoothed over windows of `sizes` (odd: rows, columns), with bells as wide as `sigmas`."""
    A, B = (_bell(n, size, sigma).astype(x.dtype) for n, size, sigma in zip(x.shape[1:3], sizes, sigmas))
    return np.einsum("ih,nhwc,jw->nijc", A, x, B, optimize=True)


def _bell(n, size, sigma):
    """The symmetric matrix (n, n) whose row i holds the bell around i."""
    distance = np.arange(n) - np.arange(n)[:, None]
    bell = np.exp(-0.5 * (np.arange(size) - size // 2) ** 2 / sigma**2)
    weights = np.exp(-0.5 * (distance / sigma) ** 2) / bell.sum()
    return np.where(np.abs(distance) <= size // 2, weights, 0)
