"""The matrix product, as its definition says."""

import numpy as np


def matmul(a, b):
    """``a @ b``: (M, K), (K, N) -> (M, N)."""
    (M, K), N = a.shape, b.shape[1]
    c = np.empty((M, N), a.dtype)
    for m in range(M):
        for n in range(N):
            total = 0.0
            for k in range(K):
                total += float(a[m, k]) * float(b[k, n])
            c[m, n] = total
    return c
