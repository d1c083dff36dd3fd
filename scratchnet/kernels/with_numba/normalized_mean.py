"""The mean over all places of ``f(gamma (x - mean) / s + beta)``, without an array of all of them.

Many networks end in a normalization, its activation and global average pooling. So some places at a time go through
all three, and never leave the cache; as in `affine_mean`, where a convolution is in front. Without an activation the
mean of each channel is normalized alone.
"""

import math

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.global_pooling import add_places, mean_of_total, places_at_a_time
from scratchnet.kernels.with_numba.group_normalization import find_statistics
from scratchnet.kernels.with_numba.group_normalization import places_at_a_time as of_statistics
from scratchnet.kernels.with_numba.step_activations import activate, function_of
from scratchnet.kernels.with_numba.team import by_rows

_AT_ONCE = 1 << 12  # numbers, at least those of a place
_OF_A_FUNCTION = 8  # multiply-adds that take as long as a number


def normalized_mean(x, mean, s, gamma, beta, activation):
    """(N, C) for x (N, M, C), and mean, s, gamma and beta (C,); None where the activation is not compiled."""
    places = places_at_a_time(*x.shape[1:])
    repeated = [np.tile(a.astype(x.dtype, copy=False), places) for a in (mean, gamma / s, beta)]
    return _mean_by(_means, x, repeated, activation)


def normalized_groups_mean(x, gamma, beta, G, epsilon, activation):
    """The same with the mean and the s of each of G groups of channels of a sample, as `normalize_groups_forward`."""
    gamma, beta = (plain(a.astype(x.dtype, copy=False)) for a in (gamma, beta))
    return _mean_by(_means_of_groups, x, (gamma, beta, G, float(epsilon), of_statistics(*x.shape[1:])), activation)


def _mean_by(kernel, x, known, activation):
    """What `kernel`, one of those below, makes of x, of what else it knows, and of the activation."""
    found = _bounds_and_function(x, activation)
    if found is None:
        return None
    x = plain(x)
    N, M, C = x.shape
    y = np.empty((N, C), x.dtype)
    numbers = x.reshape(N, M * C)
    by_rows(kernel, N, _work(x, found), numbers, *known, *found, M, places_at_a_time(M, C), y, multiple=1)
    return y


def _bounds_and_function(x, activation):
    """Between which numbers an activation keeps its input, and what compiled code calls else; or None."""
    if activation.relu_limit is not None:
        return x.dtype.type(0), x.dtype.type(activation.relu_limit), None
    bounds = x.dtype.type(-np.inf), x.dtype.type(np.inf)
    if activation.standard and activation.name == "linear":
        return *bounds, None
    function = function_of(x.dtype, activation)
    return None if function is None else (*bounds, function)


def _work(x, found):
    return x.size * (2 if found[2] is None else _OF_A_FUNCTION)


@njit
def _means(first, stop, x, mean, factor, shift, least, most, function, M, places, y):
    normalized, activated, sums, total = _room(mean)
    for n in range(first, stop):
        total[:] = 0
        _add_normalized(x[n], mean, factor, shift, least, most, function, normalized, activated, sums, total)
        mean_of_total(total, places, M, y[n])


@njit
def _means_of_groups(first, stop, x, gamma, beta, G, epsilon, at_once, least, most, function, M, places, y):
    C, of_dtype, changes = gamma.size, x.dtype.type, function is not None or least > -np.inf
    of_group, width = C // G, places * C
    middle, totals, of_groups = np.empty(at_once * C, x.dtype), np.empty((2, at_once * C)), np.empty(G)
    factors, variances = np.empty(C, x.dtype), np.empty(G)
    mean, factor, shift = np.empty(width, x.dtype), np.empty(width, x.dtype), np.empty(width, x.dtype)
    normalized, activated, sums, total = _room(mean)
    for n in range(first, stop):
        find_statistics(x[n], C, middle, totals, of_groups, variances)
        for c in range(C):
            factors[c] = gamma[c] / of_dtype(math.sqrt(variances[c // of_group] + epsilon))
        if changes:
            for c in range(C):
                for k in range(c, width, C):
                    mean[k], factor[k], shift[k] = middle[c], factors[c], beta[c]
            total[:] = 0
            _add_normalized(x[n], mean, factor, shift, least, most, function, normalized, activated, sums, total)
            mean_of_total(total, places, M, y[n])
        else:
            for c in range(C):
                near = x[n, c // of_group * of_group] if M > 0 else of_dtype(0)
                y[n, c] = of_dtype(near + np.sum(totals[0, c::C]) / M - middle[c]) * factors[c] + beta[c]


@njit(inner=True)
def _room(mean):
    """For what is made of some places at a time, twice, for sums of some, and for the total."""
    width, dtype = mean.size, mean.dtype
    at_once = max(1, _AT_ONCE // width) * width
    return np.empty(at_once, dtype), np.empty(at_once, dtype), np.empty(width, dtype), np.empty(width, dtype)


@njit(inner=True)
def _add_normalized(x, mean, factor, shift, least, most, function, normalized, activated, sums, total):
    for start in range(0, x.size, normalized.size):
        values = x[start : start + normalized.size]
        z, y = normalized[: values.size], activated[: values.size]
        _normalize(values, mean, factor, shift, least, most, z)
        if function is not None:
            activate(function, z, y)
            z = y
        add_places(z, sums, total)


@njit(inner=True)
def _normalize(x, mean, factor, shift, least, most, y):
    width = mean.size
    for start in range(0, x.size, width):
        values, target = x[start : start + width], y[start : start + width]
        for k in range(values.size):
            target[k] = min(max((values[k] - mean[k]) * factor[k] + shift[k], least), most)  # NaN stays NaN
