"""Vectorised on NumPy and its BLAS."""
