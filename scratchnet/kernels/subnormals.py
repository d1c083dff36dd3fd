"""Numbers too small for all their digits count as zero while a model computes.

Why, and how, is said in `scratchnet.kernels.with_numba.subnormals`; the other backends leave them as they are.
"""

import contextlib

from scratchnet import kernels


def flushing():
    """A ``with`` block in which this thread takes subnormal numbers for zero, if the backend in use can do that."""
    return contextlib.nullcontext() if kernels.flushing is None else kernels.flushing()
