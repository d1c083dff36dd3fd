"""Functions of single elements that NumPy has not: by quotients of polynomials."""

from scratchnet.special import erfc

__all__ = ["erfc"]
