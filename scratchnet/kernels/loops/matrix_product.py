"""The matrix product, as its definition says."""

import numpy as np


def matmul(a, b):
    M, N = len(a), b.shape[1]
    c = np.empty((M, N), a.dtype)
    for m in range(M):
        for n in range(N):
            c[m, n] = sum(float(a[m, k]) * float(b[k, n]) for k in range(len(b)))
    return c
