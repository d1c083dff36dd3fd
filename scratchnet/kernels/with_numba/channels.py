"""A number for each channel of a sample, which all of its places share.

NumPy goes over the last axis by itself where another array has but one place, and the few channels of a pixel are a
short way to go. Here several places are taken at a time, as for their mean: see `global_pooling`.
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.global_pooling import places_at_a_time
from scratchnet.kernels.with_numba.team import by_rows


def scale_channels(x, factors):
    """``x * factors[:, None]`` for x (N, M, C) and factors (N, C) of its dtype."""
    x, factors = plain(x), plain(factors)
    N, M, C = x.shape
    y = np.empty(x.shape, x.dtype)
    by_rows(_scale, N, x.size, x.reshape(N, M * C), factors, places_at_a_time(M, C), y.reshape(N, M * C), multiple=1)
    return y


@njit
def _scale(first, stop, x, factors, places, y):
    C, size = factors.shape[1], x.shape[1]
    repeated = np.empty(places * C, x.dtype)
    for n in range(first, stop):
        for k in range(repeated.size):
            repeated[k] = factors[n, k % C]
        for start in range(0, size, repeated.size):
            values, target = x[n, start : start + repeated.size], y[n, start : start + repeated.size]
            for k in range(values.size):
                target[k] = values[k] * repeated[k]
