"""Batch normalization together with the relu behind it, and with the max pooling of 2 x 2 behind that.

What is cut off has no gradient, and of four numbers that are pooled only one has. So backward needs no array of what
has come out of the normalization:

    z = gamma (x - mean) / s + beta        y = z between two bounds, and elsewhere the nearer one
    dz = dy where low < z < high, else 0

Without pooling z is computed anew, from x, which backward reads anyway; with pooling a byte for each output says which
of its four it is, counted from 1, or 0 where that one lies at a bound or beyond.

x_hat = (x - mean) / s, and dx is that of `scratchnet.kernels.loops.normalization.normalize_backward` for dz.
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain

_WIDTH = 64  # numbers that few channels are repeated to: a row of them alone is too short for vectors


def bounded_products(dy, x, mean, s, gamma, beta, low, high):
    """``sum of dz, sum of dz x_hat``, float64 (C,), for dy and x (M, C), and (C,) the others."""
    dy, x = plain(dy), plain(x)
    known = _of_channels(x, mean, s, gamma, beta)
    sums = np.zeros((2, known.shape[1]))
    if x.size:
        _products(dy.reshape(-1), x.reshape(-1), known, *_bounds(x, low, high), sums)
    of_1, of_x_hat = sums.reshape(2, -1, x.shape[1]).sum(axis=1)
    return of_1, of_x_hat / s


def bounded_backward(dy, x, mean, s, gamma, beta, low, high, along_1, along_x_hat):
    """dx (M, C); the last two as for `normalize_backward`, (C,)."""
    dy, x = plain(dy), plain(x)
    dx = np.empty(x.shape, x.dtype)
    known = _of_channels(x, mean, s, gamma, beta, 1 / s, along_1, along_x_hat)
    _backward(dy.reshape(-1), x.reshape(-1), known, *_bounds(x, low, high), dx.reshape(-1))
    return dx


def normalize_max_pool_forward(x, mean, s, gamma, beta, low, high):
    """``y, places`` (N, H // 2, W // 2, C), the latter bytes, for x (N, H, W, C)."""
    N, H, W, C = x.shape
    y = np.empty((N, H // 2, W // 2, C), x.dtype)
    places = np.empty(y.shape, np.uint8)
    _pool(plain(x), _stacked(x, mean, s, gamma, beta), *_bounds(x, low, high), y, places)
    return y, places


def normalize_max_pool_products(dy, places, x, mean, s):
    """As `bounded_products`, for dy (N, H // 2, W // 2, C) and x (N, H, W, C)."""
    sums = np.zeros((2, x.shape[3]))
    _pooled_products(plain(dy), places, plain(x), _stacked(x, mean), sums)
    return sums[0], sums[1] / s


def normalize_max_pool_backward(dy, places, x, mean, s, gamma, along_1, along_x_hat):
    """dx, of x's shape."""
    dx = np.empty(x.shape, x.dtype)
    _pooled_backward(plain(dy), places, plain(x), _stacked(x, mean, 1 / s, gamma, along_1, along_x_hat), dx)
    return dx


def _of_channels(x, *of_channels):
    """`_stacked`, each as often as to fill vectors."""
    return np.tile(_stacked(x, *of_channels), max(1, _WIDTH // max(x.shape[1], 1)))


def _stacked(x, *of_channels):
    """Those (C,) as the rows of one array of x's dtype: a loop over many arrays is not vectorised."""
    return np.array([np.broadcast_to(a, x.shape[-1:]) for a in of_channels], x.dtype)


def _bounds(x, low, high):
    return x.dtype.type(low), x.dtype.type(high)


@njit(reorder=False, fuse=False, inline="always")
def _normalized(x, mean, s, gamma, beta):
    return (x - mean) / s * gamma + beta  # bit by bit that of forward


@njit(reorder=False, fuse=False)
def _products(dy, x, known, low, high, sums):
    """The second without the division by s."""
    mean, s, gamma, beta = known[0], known[1], known[2], known[3]
    of_1, of_x_hat = sums[0], sums[1]
    width, zero = mean.size, x.dtype.type(0)
    for start in range(0, x.size, width):
        values, d = x[start : start + width], dy[start : start + width]
        for k in range(values.size):
            value, d_k = values[k], d[k]
            z = _normalized(value, mean[k], s[k], gamma[k], beta[k])
            dz = d_k if (low < z) & (z < high) else zero
            of_1[k] += np.float64(dz)
            of_x_hat[k] += np.float64(dz * (value - mean[k]))


@njit(reorder=False, fuse=False)
def _backward(dy, x, known, low, high, dx):
    mean, s, gamma, beta = known[0], known[1], known[2], known[3]
    inverse, along_1, along_x_hat = known[4], known[5], known[6]
    width, zero = mean.size, x.dtype.type(0)
    for start in range(0, x.size, width):
        values, d, target = x[start : start + width], dy[start : start + width], dx[start : start + width]
        for k in range(values.size):
            x_hat, d_k = (values[k] - mean[k]) / s[k], d[k]
            z = x_hat * gamma[k] + beta[k]
            dz = d_k if (low < z) & (z < high) else zero
            target[k] = (gamma[k] * dz - along_1[k] - along_x_hat[k] * x_hat) * inverse[k]


@njit(reorder=False, fuse=False)
def _pool(x, known, low, high, y, places):
    mean, s, gamma, beta = known[0], known[1], known[2], known[3]
    is_unbounded = low == -np.inf
    N, OH, OW, C = y.shape
    for n in range(N):
        for i in range(OH):
            for j in range(OW):
                for c in range(C):
                    best, place = _normalized(x[n, 2 * i, 2 * j, c], mean[c], s[c], gamma[c], beta[c]), np.uint8(1)
                    # Larger, or the first NaN: "not <=" is true for a NaN on either side.
                    z = _normalized(x[n, 2 * i, 2 * j + 1, c], mean[c], s[c], gamma[c], beta[c])
                    wins = (not (z <= best)) & (best == best)
                    best, place = z if wins else best, np.uint8(2) if wins else place
                    z = _normalized(x[n, 2 * i + 1, 2 * j, c], mean[c], s[c], gamma[c], beta[c])
                    wins = (not (z <= best)) & (best == best)
                    best, place = z if wins else best, np.uint8(3) if wins else place
                    z = _normalized(x[n, 2 * i + 1, 2 * j + 1, c], mean[c], s[c], gamma[c], beta[c])
                    wins = (not (z <= best)) & (best == best)
                    best, place = z if wins else best, np.uint8(4) if wins else place
                    is_open = (low < best) & (best < high) | is_unbounded
                    places[n, i, j, c] = place if is_open else np.uint8(0)
                    best = low if best < low else best  # NaN stays NaN
                    y[n, i, j, c] = high if best > high else best


@njit
def _pooled_products(dy, places, x, known, sums):
    """The second without the division by s."""
    mean, of_1, of_x_hat = known[0], sums[0], sums[1]
    N, OH, OW, C = dy.shape
    zero = dy.dtype.type(0)
    for n in range(N):
        for i in range(OH):
            for j in range(OW):
                for c in range(C):
                    first, second = x[n, 2 * i, 2 * j, c], x[n, 2 * i, 2 * j + 1, c]
                    third, fourth = x[n, 2 * i + 1, 2 * j, c], x[n, 2 * i + 1, 2 * j + 1, c]
                    place, d = places[n, i, j, c], dy[n, i, j, c]
                    dz = d if place > 0 else zero
                    above = second if place == 2 else first
                    below = fourth if place == 4 else third
                    value = below if place > 2 else above
                    of_1[c] += np.float64(dz)
                    of_x_hat[c] += np.float64(dz * (value - mean[c]))


@njit
def _pooled_backward(dy, places, x, known, dx):
    mean, inverse, gamma, along_1, along_x_hat = known[0], known[1], known[2], known[3], known[4]
    N, OH, OW, C = dy.shape
    zero = dy.dtype.type(0)
    for n in range(N):
        for p in range(2 * OH):
            for q in range(2 * OW):
                own = np.uint8(2 * (p % 2) + q % 2 + 1)
                for c in range(C):
                    dz = dy[n, p // 2, q // 2, c] if places[n, p // 2, q // 2, c] == own else zero
                    x_hat = (x[n, p, q, c] - mean[c]) * inverse[c]
                    dx[n, p, q, c] = (gamma[c] * dz - along_1[c] - along_x_hat[c] * x_hat) * inverse[c]
        _outside(x[n, 2 * OH :], known, dx[n, 2 * OH :])
        _outside(x[n, : 2 * OH, 2 * OW :], known, dx[n, : 2 * OH, 2 * OW :])


@njit
def _outside(x, known, dx):
    """dx of the last row or column of an odd image, which is in no square, but moves mean and variance."""
    mean, inverse, along_1, along_x_hat = known[0], known[1], known[3], known[4]
    for p in range(x.shape[0]):
        for q in range(x.shape[1]):
            for c in range(x.shape[2]):
                x_hat = (x[p, q, c] - mean[c]) * inverse[c]
                dx[p, q, c] = (-along_1[c] - along_x_hat[c] * x_hat) * inverse[c]
