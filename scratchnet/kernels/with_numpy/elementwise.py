"""Elementwise functions that NumPy lacks, as quotients of polynomials."""

from scratchnet.special import erfc

__all__ = ["erfc"]
