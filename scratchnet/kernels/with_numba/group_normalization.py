"""Normalization of groups of channels, compiled: sample after sample, which stays in the cache while it is worked on.

There, a pass for the mean, one for the variance and one that normalizes; back, one for the sums and one for dx. From
memory it comes once. So the variance is that around the mean itself, and nothing cancels.

A row of few channels is too short for vectors, and they are taken several at a time, as many as make `_WIDTH` numbers;
what belongs to a channel is repeated as often. Numbers are added up four by four in their own dtype, and these sums in
float64: each total that is written has to be read again, and a float64 is as wide as two numbers.
"""

import math

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.team import by_rows

_WIDTH = 64
_SUMS = 2  # over the samples, shared or not


def normalize_groups_forward(x, gamma, beta, G, epsilon):
    x = plain(x)
    N, M, C = x.shape
    y, mean, s = np.empty(x.shape, x.dtype), np.zeros((N, G), x.dtype), np.empty((N, G), x.dtype)
    gamma, beta = (plain(a.astype(x.dtype, copy=False)) for a in (gamma, beta))
    known = x.reshape(N, M * C), gamma, beta, float(epsilon), places_at_a_time(M, C)
    by_rows(_forward, N, 2 * x.size, *known, y.reshape(N, M * C), mean, s, multiple=1)
    return y, mean, s


def normalize_groups_backward(dy, x, mean, s, gamma, needs_dx=True):
    dy, x = plain(dy), plain(x)
    N, M, C = x.shape
    dx, sums = np.empty((N if needs_dx else 0, M * C), x.dtype), np.empty((_SUMS, 2, C))
    known = plain(mean), plain(s), plain(gamma.astype(x.dtype, copy=False)), places_at_a_time(M, C)
    by_rows(_backward, _SUMS, 2 * x.size, dy.reshape(N, M * C), x.reshape(N, M * C), *known, dx, sums, multiple=1)
    dgamma, dbeta = sums[0] + sums[1]
    return dx.reshape(x.shape) if needs_dx else None, dgamma, dbeta


def places_at_a_time(M, C):
    return max(1, min(_WIDTH // max(C, 1), M))


@njit
def _forward(first, stop, x, gamma, beta, epsilon, places, y, means, stds):
    G, C, of_dtype = means.shape[1], gamma.size, x.dtype.type
    of_group, width = C // G, places * C
    totals, of_groups, variances = np.empty((2, width)), np.empty(G), np.empty(G)
    mean, factor, shift = np.empty(width, x.dtype), np.empty(width, x.dtype), np.empty(width, x.dtype)
    for n in range(first, stop):
        find_statistics(x[n], C, mean, totals, of_groups, variances)
        for g in range(G):
            means[n, g] = mean[g * of_group] if width > 0 else of_dtype(0)
            stds[n, g] = of_dtype(math.sqrt(variances[g] + epsilon))
        for k in range(width):
            c = k % C
            factor[k], shift[k] = gamma[c] / stds[n, c // of_group], beta[c]
        _normalize(x[n], mean, factor, shift, y[n])


@njit(inner=True)
def find_statistics(x, C, mean, totals, of_groups, variances):
    """Of a sample (M C): `mean` of each channel's group, repeated as often as `mean` has room, and all variances.

    ``totals[0]`` are the sums over the places, of what is above the first number of a channel's group.
    """
    G = variances.size
    of_group, count = C // G, max(x.size // G, 1)
    for k in range(min(x.size, mean.size)):  # near which numbers are added up: each group's first
        mean[k] = x[k % C // of_group * of_group]
    _sums(x, mean, False, totals[0])
    _by_group(totals[0], C, of_groups)
    for g in range(G):
        near = x[g * of_group] if x.size > 0 else x.dtype.type(0)
        of_groups[g] = near + of_groups[g] / count
    for k in range(mean.size):
        mean[k] = of_groups[k % C // of_group]
    _sums(x, mean, True, totals[1])
    _by_group(totals[1], C, variances)
    for g in range(G):
        variances[g] /= count


@njit
def _backward(first, stop, dy, x, means, stds, gamma, places, dx, sums):
    """dx, if it has rows, and the sums of dy x_hat and of dy over each of `len(sums)` parts of the samples."""
    (N, G), C, of_dtype = means.shape, gamma.size, x.dtype.type
    of_group, width = C // G, places * C
    count = max(x.shape[1] // G, 1)
    of_1, of_x_hat, channels, along = np.empty(width), np.empty(width), np.empty((2, C)), np.empty((2, G))
    known = np.empty((4, width), x.dtype)
    for part in range(first, stop):
        sums[part] = 0
        for n in range(N * part // len(sums), N * (part + 1) // len(sums)):
            for k in range(width):
                known[0, k] = means[n, k % C // of_group]
            _products(dy[n], x[n], known[0], of_1, of_x_hat)
            channels[:] = 0
            for k in range(width):
                c = k % C
                channels[0, c] += of_x_hat[k] / stds[n, c // of_group]
                channels[1, c] += of_1[k]
            sums[part] += channels
            if len(dx) > 0:
                along[:] = 0
                for c in range(C):
                    along[0, c // of_group] += gamma[c] * channels[0, c] / count
                    along[1, c // of_group] += gamma[c] * channels[1, c] / count
                for k in range(width):
                    c = k % C
                    s = np.float64(stds[n, c // of_group])
                    known[1, k] = of_dtype(gamma[c] / s)
                    known[2, k] = of_dtype(along[0, c // of_group] / (s * s))
                    known[3, k] = of_dtype(along[1, c // of_group] / s)
                _through_statistics(dy[n], x[n], known, dx[n])


@njit(inner=True)
def _by_group(totals, C, of_groups):
    """The sums over the channels of each group, of totals that are repeated some times."""
    of_group = C // of_groups.size
    of_groups[:] = 0
    for k in range(totals.size):
        of_groups[k % C // of_group] += totals[k]


@njit(inner=True)
def _sums(x, middle, squared, totals):
    """``sum(x - middle)``, or of its square, of each channel."""
    width = middle.size
    fours = x.size - x.size % (4 * width)
    totals[:] = 0
    for start in range(0, fours, 4 * width):
        a, b = x[start : start + width], x[start + width : start + 2 * width]
        c, d = x[start + 2 * width : start + 3 * width], x[start + 3 * width : start + 4 * width]
        for k in range(width):
            a_k, b_k, c_k, d_k = a[k] - middle[k], b[k] - middle[k], c[k] - middle[k], d[k] - middle[k]
            squares = (a_k * a_k + b_k * b_k) + (c_k * c_k + d_k * d_k)
            totals[k] += squares if squared else (a_k + b_k) + (c_k + d_k)
    for start in range(fours, x.size, width):
        values = x[start : start + width]
        for k in range(values.size):
            above = values[k] - middle[k]
            totals[k] += above * above if squared else above


@njit(inner=True)
def _normalize(x, mean, factor, shift, y):
    width = mean.size
    for start in range(0, x.size, width):
        values, target = x[start : start + width], y[start : start + width]
        for k in range(values.size):
            target[k] = (values[k] - mean[k]) * factor[k] + shift[k]


@njit(inner=True)
def _products(dy, x, mean, of_1, of_x_hat):
    """``sum(dy)`` and ``sum(dy (x - mean))``, of each channel."""
    width = mean.size
    fours = x.size - x.size % (4 * width)
    of_1[:], of_x_hat[:] = 0, 0
    for start in range(0, fours, 4 * width):
        a, b = x[start : start + width], x[start + width : start + 2 * width]
        c, d = x[start + 2 * width : start + 3 * width], x[start + 3 * width : start + 4 * width]
        da, db = dy[start : start + width], dy[start + width : start + 2 * width]
        dc, dd = dy[start + 2 * width : start + 3 * width], dy[start + 3 * width : start + 4 * width]
        for k in range(width):
            first = da[k] * (a[k] - mean[k]) + db[k] * (b[k] - mean[k])
            of_x_hat[k] += first + (dc[k] * (c[k] - mean[k]) + dd[k] * (d[k] - mean[k]))
            of_1[k] += (da[k] + db[k]) + (dc[k] + dd[k])
    for start in range(fours, x.size, width):
        values, d = x[start : start + width], dy[start : start + width]
        for k in range(values.size):
            of_1[k] += d[k]
            of_x_hat[k] += d[k] * (values[k] - mean[k])


@njit(inner=True)
def _through_statistics(dy, x, known, dx):
    """``dx = (gamma dy - along_1 - along_x_hat x_hat) / s``, of numbers that are known for each channel."""
    mean, factor, along_x_hat, along_1 = known[0], known[1], known[2], known[3]
    width = mean.size
    for start in range(0, x.size, width):
        values, d, target = x[start : start + width], dy[start : start + width], dx[start : start + width]
        for k in range(values.size):
            target[k] = factor[k] * d[k] - along_1[k] - along_x_hat[k] * (values[k] - mean[k])
