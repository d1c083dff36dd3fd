"""The matrix product, which NumPy leaves to its BLAS."""

from numpy import matmul

__all__ = ["matmul"]
