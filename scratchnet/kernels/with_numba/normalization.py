"""Normalization of channels and of rows, compiled: each function reads its arrays once.

A row of few channels is too short for vectors. So the rows of a group are taken several at a time, as many as make
`_WIDTH` numbers, and what belongs to a channel is repeated as often.

The moments take one pass as well. Squares are summed around a value near the mean, the channel's first, and what that
is beside the mean is taken off at the end (Chan, Golub and LeVeque, "Algorithms for computing the sample variance",
1983):

    sum((x - mean)^2) = sum((x - a)^2) - M (mean - a)^2

Since a is one of the M values, (mean - a)^2 is at most M times the variance, and of the 53 bits of the sums there are
always enough left.

So it is with a row that is normalized by itself, which stays in the first-level cache while it is read twice.
"""

import math

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.team import by_rows

_WIDTH = 64
_ROWS = 16  # that are normalized by themselves, at a time
_SUMS = 2  # over the rows, shared or not


def channel_moments(x):
    x = plain(x)
    G, M, C = x.shape
    if x.size == 0:
        return np.zeros((G, C)), np.zeros((G, C))
    R, first = _rows_at_a_time(C), x[:, 0].astype(np.float64)
    totals, squares = np.zeros((2, G, R * C))
    _moments(x.reshape(G, -1), np.tile(first, R), totals, squares)
    above = totals.reshape(G, R, C).sum(axis=1) / M  # mean - a
    return first + above, squares.reshape(G, R, C).sum(axis=1) - M * np.square(above)


def normalize_forward(x, mean, s, gamma, beta, low=-np.inf, high=np.inf):
    """The bits are those of one step after the other, but x is read and y written only once."""
    x = plain(x)
    y = np.empty(x.shape, x.dtype)
    known = *_repeated(x, mean, s, gamma, beta), x.dtype.type(low), x.dtype.type(high)
    by_rows(_forward, _blocks(x), x.size, x.reshape(len(x), -1), *known, y.reshape(len(x), -1))
    return y


def channel_products(dy, x, mean, s):
    dy, x = plain(dy), plain(x)
    G, _, C = x.shape
    R = _rows_at_a_time(C)
    of_1, of_x_hat = np.zeros((2, G, R * C))
    if x.size:
        _products(dy.reshape(G, -1), x.reshape(G, -1), *_repeated(x, mean), of_1, of_x_hat)
    return of_1.reshape(G, R, C).sum(axis=1), of_x_hat.reshape(G, R, C).sum(axis=1) / s


def normalize_backward(dy, x, mean, s, gamma, along_1, along_x_hat):
    dy, x = plain(dy), plain(x)
    dx = np.empty(x.shape, x.dtype)
    known = dy.reshape(len(x), -1), x.reshape(len(x), -1), *_repeated(x, mean, 1 / s, gamma, along_1, along_x_hat)
    by_rows(_backward, _blocks(x), x.size, *known, dx.reshape(len(x), -1))
    return dx


def normalize_rows_forward(x, gamma, beta, epsilon, centered=True):
    x = plain(x)
    M, _ = x.shape
    y, mean, s = np.empty(x.shape, x.dtype), np.empty(M, x.dtype), np.empty(M, x.dtype)
    gamma, beta = (plain(a.astype(x.dtype, copy=False)) for a in (gamma, beta))
    known = x, gamma, beta, float(epsilon), bool(centered)
    by_rows(_rows_forward, M, x.size, *known, y, mean, s)  # 128 rows of 256 take as long on two threads
    return y, mean, s


def normalize_rows_backward(dy, x, mean, s, gamma, centered=True, needs_dx=True):
    dy, x = plain(dy), plain(x)
    M, D = x.shape
    dx, sums = np.empty((M if needs_dx else 0, D), x.dtype), np.empty((_SUMS, 2, D))
    known = dy, x, plain(mean), plain(s), plain(gamma.astype(x.dtype, copy=False)), bool(centered)
    by_rows(_rows_backward, _SUMS, x.size, *known, dx, sums, multiple=1)
    dgamma, dbeta = sums[0] + sums[1]
    return dx if needs_dx else None, dgamma, dbeta


def _rows_at_a_time(C):
    return max(1, _WIDTH // max(C, 1))


def _blocks(x):
    """How often so many rows are taken of a group."""
    return -(-x.shape[1] // _rows_at_a_time(x.shape[2]))


def _repeated(x, *of_channels):
    """Each (C,) or (G, C) as (G, R C), in x's dtype."""
    G, _, C = x.shape
    R = _rows_at_a_time(C)
    return [plain(np.tile(np.broadcast_to(a, (G, C)), R).astype(x.dtype, copy=False)) for a in of_channels]


@njit
def _moments(x, first, totals, squares):
    G, size = x.shape
    width = first.shape[1]
    pairs = size - size % (2 * width)
    for g in range(G):
        a, total, square = first[g], totals[g], squares[g]
        for start in range(0, pairs, 2 * width):  # two at a time: each sum that is written has to be read again
            values, others = x[g, start : start + width], x[g, start + width : start + 2 * width]
            for k in range(width):
                above, other = values[k] - a[k], others[k] - a[k]
                total[k] += above + other
                square[k] += above * above + other * other
        for start in range(pairs, size, width):
            values = x[g, start : start + width]
            for k in range(values.size):
                above = values[k] - a[k]
                total[k] += above
                square[k] += above * above


@njit(reorder=False, fuse=False)
def _forward(first, stop, x, means, stds, gammas, betas, low, high, y):
    G, size = x.shape
    width = means.shape[1]
    for g in range(G):
        mean, s, gamma, beta = means[g], stds[g], gammas[g], betas[g]
        for start in range(first * width, min(stop * width, size), width):
            values, target = x[g, start : start + width], y[g, start : start + width]
            for k in range(values.size):
                z = (values[k] - mean[k]) / s[k] * gamma[k] + beta[k]
                z = low if z < low else z  # NaN stays NaN
                target[k] = high if z > high else z


@njit
def _products(dy, x, means, of_1, of_x_hat):
    """of_x_hat without the division by s."""
    G, size = x.shape
    width = means.shape[1]
    pairs = size - size % (2 * width)
    for g in range(G):
        mean, one, hat = means[g], of_1[g], of_x_hat[g]
        for start in range(0, pairs, 2 * width):
            d, e = dy[g, start : start + width], dy[g, start + width : start + 2 * width]
            values, others = x[g, start : start + width], x[g, start + width : start + 2 * width]
            for k in range(width):
                one[k] += np.float64(d[k]) + np.float64(e[k])
                hat[k] += np.float64(d[k] * (values[k] - mean[k])) + np.float64(e[k] * (others[k] - mean[k]))
        for start in range(pairs, size, width):
            d, values = dy[g, start : start + width], x[g, start : start + width]
            for k in range(values.size):
                one[k] += d[k]
                hat[k] += d[k] * (values[k] - mean[k])


@njit
def _backward(first, stop, dy, x, means, inverses, gammas, alongs_1, alongs_x_hat, dx):
    G, size = x.shape
    width = means.shape[1]
    for g in range(G):
        mean, inverse, gamma, along_1, along_x_hat = means[g], inverses[g], gammas[g], alongs_1[g], alongs_x_hat[g]
        for start in range(first * width, min(stop * width, size), width):
            d, values, target = dy[g, start : start + width], x[g, start : start + width], dx[g, start : start + width]
            for k in range(values.size):
                x_hat = (values[k] - mean[k]) * inverse[k]
                target[k] = (gamma[k] * d[k] - along_1[k] - along_x_hat[k] * x_hat) * inverse[k]


@njit
def _rows_forward(first, stop, x, gamma, beta, epsilon, centered, y, means, stds):
    for start in range(first, stop, _ROWS):
        end = min(start + _ROWS, stop)
        normalize_rows(start, end, x, gamma, beta, epsilon, centered, y, means, stds)


@njit
def _rows_backward(first, stop, dy, x, means, stds, gamma, centered, dx, sums):
    """dx, if it has rows, and the sums of dy x_hat and of dy over each of `len(sums)` parts of the rows."""
    M = len(x)
    room = np.empty((_ROWS, 2), x.dtype)
    for part in range(first, stop):
        dgamma, dbeta = sums[part, 0], sums[part, 1]
        dgamma[:], dbeta[:] = 0, 0
        last = M * (part + 1) // len(sums)
        for start in range(M * part // len(sums), last, _ROWS):
            end = min(start + _ROWS, last)
            if len(dx) > 0:
                normalize_rows_back(start, end, dy, x, means, stds, gamma, centered, dx[start:], dgamma, dbeta, room)
            else:
                _add_products(start, end, dy, x, means, stds, dgamma, dbeta)


# Some rows at a time: what is divided by their sums waits for these, and meanwhile others are added up.


@njit(inner=True)
def normalize_rows(start, end, x, gamma, beta, epsilon, centered, y, means, stds):
    """Rows of x, normalized, to those of y."""
    D, of_dtype = x.shape[1], x.dtype.type
    for m in range(start, end):
        row = x[m]
        near = np.float64(row[0]) if centered and D > 0 else 0.0  # float64, as all sums here
        total, square = 0.0, 0.0
        for d in range(D):
            above = row[d] - near
            total += above
            square += above * above
        over = total / D if centered else 0.0  # mean - near
        means[m] = of_dtype(near + over)
        stds[m] = of_dtype(math.sqrt(square / D - over * over + epsilon))
    for m in range(start, end):
        row, target = x[m], y[m]
        mean, inverse = means[m], of_dtype(1) / stds[m]
        for d in range(D):
            target[d] = (row[d] - mean) * inverse * gamma[d] + beta[d]


@njit(inner=True)
def normalize_rows_back(start, end, dy, x, means, stds, gamma, centered, dx, dgamma, dbeta, room):
    """The adjoints of the rows to the first ones of dx; what belongs to gamma and beta is added to theirs."""
    D, of_dtype = x.shape[1], x.dtype.type
    for m in range(start, end):
        row, d_row = x[m], dy[m]
        mean, inverse = means[m], of_dtype(1) / stds[m]
        of_1, of_x_hat = of_dtype(0), of_dtype(0)  # added up in many lanes: not many numbers to any one
        for d in range(D):
            dx_hat = gamma[d] * d_row[d]
            of_1 += dx_hat
            of_x_hat += dx_hat * ((row[d] - mean) * inverse)
        room[m - start, 0], room[m - start, 1] = of_dtype(of_1 / D if centered else 0.0), of_dtype(of_x_hat / D)
    for m in range(start, end):
        row, d_row, target = x[m], dy[m], dx[m - start]
        mean, inverse = means[m], of_dtype(1) / stds[m]
        along_1, along_x_hat = room[m - start, 0], room[m - start, 1]
        for d in range(D):
            x_hat = (row[d] - mean) * inverse
            target[d] = (gamma[d] * d_row[d] - along_1 - along_x_hat * x_hat) * inverse
    _add_products(start, end, dy, x, means, stds, dgamma, dbeta)


@njit(inner=True)
def _add_products(start, end, dy, x, means, stds, dgamma, dbeta):
    """The sums over rows, four at a time: what is written has to be read again."""
    D, one = x.shape[1], x.dtype.type(1)
    fours = end - (end - start) % 4
    for m in range(start, fours, 4):
        x_0, x_1, x_2, x_3 = x[m], x[m + 1], x[m + 2], x[m + 3]
        d_0, d_1, d_2, d_3 = dy[m], dy[m + 1], dy[m + 2], dy[m + 3]
        mean_0, mean_1, mean_2, mean_3 = means[m], means[m + 1], means[m + 2], means[m + 3]
        in_0, in_1, in_2, in_3 = one / stds[m], one / stds[m + 1], one / stds[m + 2], one / stds[m + 3]
        for d in range(D):
            hat_0, hat_1 = d_0[d] * ((x_0[d] - mean_0) * in_0), d_1[d] * ((x_1[d] - mean_1) * in_1)
            hat_2, hat_3 = d_2[d] * ((x_2[d] - mean_2) * in_2), d_3[d] * ((x_3[d] - mean_3) * in_3)
            dgamma[d] += (hat_0 + hat_1) + (hat_2 + hat_3)
            dbeta[d] += (d_0[d] + d_1[d]) + (d_2[d] + d_3[d])
    for m in range(fours, end):
        row, d_row, mean, inverse = x[m], dy[m], means[m], one / stds[m]
        for d in range(D):
            dgamma[d] += d_row[d] * ((row[d] - mean) * inverse)
            dbeta[d] += d_row[d]
