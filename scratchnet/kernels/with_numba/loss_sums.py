"""The sums of losses in one pass over targets and predictions, and of most the gradient in the same pass.

NumPy takes a pass for each operation of a formula, and an array for its result. Here a block of some numbers is added
up in their dtype, and the blocks in float64; nothing is kept but what training goes back with.

Targets that the loss does not take are seen on the way: then there is no sum, and the loss says what is wrong.
"""

import math

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.elementwise import exp32, logistic32
from scratchnet.kernels.with_numba.team import by_rows

_BLOCK = 1024  # numbers that are added up in their own dtype
_WORK = 8  # multiply-adds that take as long as a number of a softmax
_ZERO, _ONE, _HALF = map(np.float32, (0, 1, 0.5))


def sum_of_squares(p, t):
    """The sum of ``(p - t)^2``, of arrays of one shape and dtype."""
    return _squares(plain(p).reshape(-1), plain(t).reshape(-1))


def sum_of_logistic_losses(z, t):
    """The sum of ``max(z, 0) - z t + log(1 + e^-|z|)`` in float32.

    None where a target is not above -1/2, or not below 3/2.
    """
    total, wrong = _logistic(plain(z).reshape(-1), plain(t).reshape(-1))
    return None if wrong else total


def sum_of_softmax_losses(z, labels):
    """The sum over rows of ``log(sum(e^z)) - z[label]`` for z (M, K), labels (M,) int64; None for one outside."""
    total, wrong = _softmax(plain(z), plain(labels))
    return None if wrong else total


def sum_of_soft_losses(z, t):
    """The sum over rows of ``sum(t) log(sum(e^z)) - sum(t z)`` for z and t (M, K)."""
    return _soft(plain(z), plain(t))


def squares_and_slopes(p, t, scale):
    """The sum of ``(p - t)^2``, and ``(p - t) scale``, which is its derivative but for a factor."""
    dp = np.empty(p.shape, p.dtype)
    return _squares_and_slopes(plain(p).reshape(-1), plain(t).reshape(-1), p.dtype.type(scale), dp.reshape(-1)), dp


def softmax_losses_and_slopes(z, labels, scale):
    """`sum_of_softmax_losses`, and its derivative times `scale`; NaN is the sum for a label outside."""
    v, dz = np.empty(len(z)), np.empty(z.shape, z.dtype)
    arrays = plain(z), plain(labels), v, dz
    by_rows(_softmax_and_slopes, len(z), _WORK * z.size, *arrays, z.dtype.type(scale))
    return float(v.sum()), dz


def soft_losses_and_slopes(z, t, scale):
    """`sum_of_soft_losses`, and its derivative times `scale`."""
    v, dz = np.empty(len(z)), np.empty(z.shape, z.dtype)
    by_rows(_soft_and_slopes, len(z), _WORK * z.size, plain(z), plain(t), v, dz, z.dtype.type(scale))
    return float(v.sum()), dz


@njit
def _squares(p, t):
    total = 0.0
    for start in range(0, p.size, _BLOCK):
        p_k, t_k = p[start : start + _BLOCK], t[start : start + _BLOCK]
        of_block = p.dtype.type(0)
        for k in range(p_k.size):
            e = p_k[k] - t_k[k]
            of_block += e * e
        total += of_block
    return total


@njit
def _squares_and_slopes(p, t, scale, dp):
    total = 0.0
    for k in range(p.size):
        e = p[k] - t[k]
        total += np.float64(e * e)
        dp[k] = e * scale
    return total


@njit
def _logistic(z, t):
    total, wrong = 0.0, 0
    for start in range(0, z.size, _BLOCK):
        z_k, t_k = z[start : start + _BLOCK], t[start : start + _BLOCK]
        of_block, outside = _ZERO, 0
        for k in range(z_k.size):
            of_block += logistic32(z_k[k], t_k[k])
        for k in range(t_k.size):
            outside += 1 if abs(t_k[k] - _HALF) >= _ONE else 0
        total += of_block
        wrong += outside
    return total, wrong


@njit(inner=True)
def _powers(z, p):
    """p = e^(z - largest) of a row: ``(largest, sum(p))``."""
    largest, total = z[0], z.dtype.type(0)
    for k in range(z.size):
        largest = max(largest, z[k])
    if z.itemsize == 4:
        for k in range(z.size):
            p[k] = exp32(z[k] - largest)
    else:
        for k in range(z.size):
            p[k] = math.exp(z[k] - largest)
    for k in range(z.size):
        total += p[k]
    return largest, total


@njit(reorder=False)  # or of a large row[label] - largest its digits would be lost
def _softmax(z, labels):
    total, wrong, room = 0.0, False, np.empty(z.shape[1], z.dtype)
    for m in range(len(z)):
        row, label = z[m], labels[m]
        if label < 0 or label >= row.size:
            wrong = True
        else:
            largest, mass = _powers(row, room)
            total += math.log(mass) - (row[label] - largest)
    return total, wrong


@njit(reorder=False)  # as `_softmax`
def _softmax_and_slopes(first, stop, z, labels, v, dz, scale):
    for m in range(first, stop):
        row, label, p = z[m], labels[m], dz[m]
        if label < 0 or label >= row.size:
            v[m] = np.nan
        else:
            largest, mass = _powers(row, p)
            v[m] = math.log(mass) - (row[label] - largest)
            for k in range(row.size):
                p[k] /= mass
            p[label] -= 1  # p - one_hot(label)
            for k in range(row.size):
                p[k] *= scale


@njit(inner=True)
def _weighed(t, z, largest):
    """``(sum(t), sum(t (z - largest)))`` of a row."""
    weight, along = z.dtype.type(0), z.dtype.type(0)
    for k in range(z.size):
        weight += t[k]
        along += t[k] * (z[k] - largest)
    return weight, along


@njit
def _soft(z, t):
    total, room = 0.0, np.empty(z.shape[1], z.dtype)
    for m in range(len(z)):
        row, of_row = z[m], t[m]
        largest, mass = _powers(row, room)
        weight, along = _weighed(of_row, row, largest)
        total += weight * math.log(mass) - along
    return total


@njit
def _soft_and_slopes(first, stop, z, t, v, dz, scale):
    for m in range(first, stop):
        row, of_row, p = z[m], t[m], dz[m]
        largest, mass = _powers(row, p)
        weight, along = _weighed(of_row, row, largest)
        v[m] = weight * math.log(mass) - along
        for k in range(row.size):
            p[k] = (p[k] / mass * weight - of_row[k]) * scale  # p sum(t) - t
