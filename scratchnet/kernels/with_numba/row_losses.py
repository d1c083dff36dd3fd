"""Losses that are a function of each row, in float32: the sum and the derivative, in two or three passes over a row.

The first pass adds up what the formula needs of a whole row (its sum, its length), the last one puts it into the
derivative. In between a row of some thousand numbers stays in the cache. The formulas stand in `scratchnet.losses`.

Nothing but float32 is in the loops, so that they vectorise. A block of some numbers is added up in float32, and the
blocks in float64. A sum that is not finite is none, as in `elementwise_losses`.
"""

import math

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.elementwise import cut, log32
from scratchnet.kernels.with_numba.elementwise_losses import BLOCK, blockwise_sum
from scratchnet.kernels.with_numba.team import by_rows

_WORK = 8  # multiply-adds that take as long as a number
_F = np.float32
_ZERO, _ONE, _NAN = map(_F, (0, 1, np.nan))


def row_losses_and_slopes(name, p, t, scale, parameters):
    """``(total, dp)``: the sum of the losses `name` of the rows of p and t, and its derivative times `scale`.

    Args:
        p: predictions (..., K), at least one number. For other dtypes than float32 nothing is compiled, and None is
            returned.
        t: targets of p's shape and dtype; or labels (...) of any dtype, between 0 and K - 1, for a loss of labels.
        parameters: numbers, in the order of the loss's own arguments.
    """
    if p.dtype != np.float32 or t.shape == p.shape and t.dtype != np.float32:
        return None
    rows, dp = (-1, p.shape[-1]), np.empty(p.shape, np.float32)
    t = plain(t).reshape(rows) if t.shape == p.shape else plain(t.astype(np.int64, copy=False)).reshape(-1)
    v = np.empty(p.size // p.shape[-1])
    arrays = plain(p).reshape(rows), t, v, dp.reshape(rows)
    by_rows(_KERNELS[name], v.size, _WORK * p.size, *arrays, _F(scale), *map(_F, parameters))
    return float(v.sum()), dp


@njit
def _cosine_similarity(first, stop, p, t, v, dp, scale, shortest):
    for n in range(first, stop):
        y, t_n, d = p[n], t[n], dp[n]
        yy, tt, ty = 0.0, 0.0, 0.0
        for start in range(0, y.size, BLOCK):
            y_k, t_k = y[start : start + BLOCK], t_n[start : start + BLOCK]
            of_yy, of_tt, of_ty = _ZERO, _ZERO, _ZERO
            for k in range(y_k.size):
                of_yy += y_k[k] * y_k[k]
                of_tt += t_k[k] * t_k[k]
                of_ty += t_k[k] * y_k[k]
            yy += of_yy
            tt += of_tt
            ty += of_ty
        length, length_of_t = max(math.sqrt(yy), shortest), max(math.sqrt(tt), shortest)
        cosine = ty / (length * length_of_t)
        v[n] = -cosine
        # dy = (u cosine - t / |t|) / |y|, u = y / |y|; a shorter vector is divided by a constant
        by_y = _F(scale * cosine / (length * length)) if length > shortest else _ZERO
        by_t = _F(scale / (length * length_of_t))
        for k in range(d.size):
            d[k] = by_y * y[k] - by_t * t_n[k]


@njit
def _categorical_crossentropy(first, stop, p, t, v, dp, scale, alpha, gamma, epsilon):
    """``-sum(alpha (1 - c)^gamma t log(c))``, c = cut(q), q = y / sum(y): for gamma = 0, or 2, the focal one."""
    for n in range(first, stop):
        y, t_n, d = p[n], t[n], dp[n]
        s, total, along = _F(blockwise_sum(y)), 0.0, 0.0
        for start in range(0, y.size, BLOCK):
            y_k, t_k, d_k = y[start : start + BLOCK], t_n[start : start + BLOCK], d[start : start + BLOCK]
            of_block, along_block = _ZERO, _ZERO
            for k in range(y_k.size):
                q = y_k[k] / s
                c = cut(q, epsilon, _ONE - epsilon)
                wrong, log_c = _ONE - c, log32(c)
                power = wrong * wrong if gamma > _ZERO else _ONE
                of_block -= t_k[k] * power * log_c
                dq = -t_k[k] * (power / c - gamma * wrong * log_c) if c == q else _ZERO
                along_block += dq * q
                d_k[k] = dq
            total += of_block
            along += along_block
        v[n] = alpha * total
        along_row, slope = _F(along), alpha * scale / s
        for k in range(d.size):
            d[k] = (d[k] - along_row) * slope  # dy = (dq - sum(dq q)) / s


@njit
def _sparse_categorical_crossentropy(first, stop, p, labels, v, dp, scale, epsilon):
    for n in range(first, stop):
        y, d, label = p[n], dp[n], labels[n]
        for k in range(d.size):
            d[k] = cut(y[k], epsilon, _ONE - epsilon)
        s, c = _F(blockwise_sum(d)), d[label]
        v[n] = math.log(np.float64(s) / np.float64(c))
        slope = scale / s
        for k in range(d.size):
            d[k] = slope if d[k] == y[k] else _ZERO
        d[label] -= scale / c if c == y[label] else _ZERO


@njit
def _categorical_hinge(first, stop, p, t, v, dp, scale):
    for n in range(first, stop):
        y, t_n, d = p[n], t[n], dp[n]
        right = 0.0
        for start in range(0, y.size, BLOCK):
            y_k, t_k, d_k = y[start : start + BLOCK], t_n[start : start + BLOCK], d[start : start + BLOCK]
            of_block = _ZERO
            for k in range(y_k.size):
                of_block += t_k[k] * y_k[k]
                d_k[k] = (_ONE - t_k[k]) * y_k[k]
            right += of_block
        largest, count = _largest(d) if math.isfinite(blockwise_sum(d)) else _NAN, _ZERO
        for k in range(d.size):
            count += _ONE if d[k] == largest else _ZERO
        short = largest - right + 1.0
        v[n] = 0.0 if short <= 0.0 else short  # NaN stays NaN
        slope = scale if short > 0.0 else _ZERO
        share = slope / count
        for k in range(d.size):
            of_largest = share * (_ONE - t_n[k])
            d[k] = (of_largest if d[k] == largest else _ZERO) - slope * t_n[k]


@njit(inner=True)
def _largest(x):
    """Of finite numbers: NaN would be overlooked."""
    found = x[0]
    for k in range(x.size):
        found = x[k] if x[k] > found else found
    return found


_KERNELS = {
    "cosine_similarity": _cosine_similarity,
    "categorical_crossentropy": _categorical_crossentropy,
    "sparse_categorical_crossentropy": _sparse_categorical_crossentropy,
    "categorical_hinge": _categorical_hinge,
}
