"""Arrays with a number for each channel of a sample, which all of its places share: (N, ..., C) and (N, 1, ..., 1, C).

So are a gate on channels (squeeze and excitation) and a spatial dropout. NumPy goes over the last axis by itself there,
and channels are few: it takes up to four times as long as with two arrays of the same shape. So does the adjoint of
such a number, a sum over places.
"""

import math

import numpy as np

from scratchnet import kernels


def times(x, factors):
    """``x * factors``, whatever their shapes."""
    can = kernels.scale_channels is not None and isinstance(x, np.ndarray) and isinstance(factors, np.ndarray)
    if can and x.dtype == factors.dtype:
        if _are_of(factors, x):
            return _scaled(x, factors)
        if _are_of(x, factors):
            return _scaled(factors, x)
    return x * factors


def sum_over_copies(d, axes):
    """``d.sum(axes, keepdims=True)``"""
    are_places = len(axes) > 0 and axes == tuple(range(1, d.ndim - 1))
    if not are_places or d.dtype not in (np.float32, np.float64) or d.size == 0:
        return d.sum(axis=axes, keepdims=True)
    N, *places, C = d.shape
    total = kernels.global_average_forward(d.reshape(N, -1, C)) * d.dtype.type(math.prod(places))
    return total.reshape(N, *[1] * len(places), C)


def _are_of(factors, x):
    """Whether there is one factor for each channel of each sample of x, which has several places."""
    if x.ndim < 3 or x.size == 0 or x.shape == factors.shape:
        return False
    return factors.shape == (len(x), *[1] * (x.ndim - 2), x.shape[-1])


def _scaled(x, factors):
    N, C = len(x), x.shape[-1]
    return kernels.scale_channels(x.reshape(N, -1, C), factors.reshape(N, C)).reshape(x.shape)
