"""The matrix product, which NumPy leaves to its BLAS."""

import numpy as np


def matmul(a, b):
    return np.matmul(a, b)
