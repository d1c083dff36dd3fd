"""Losses that are a mean or a sum over numbers, in float32: the sum and the derivative, in one pass over both arrays.

NumPy takes a pass, and an array, for every operation of a formula. The formulas stand in `scratchnet.losses`; here both
sides of a kink are computed, and one is chosen, so that the loops vectorise; they hold nothing but float32. A number
has the same bits wherever it stands, in a vector or behind the last one, or two threads would have others than one: so
nothing is reordered or fused.

A logarithm of what is not above 0 is NaN here. A sum that is not finite is none: the loss then goes by its formula.
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.elementwise import (
    artanh_series,
    cut,
    log32,
    log_1p_power,
    logistic32,
    sigmoid32,
    tanh32,
)
from scratchnet.kernels.with_numba.team import by_rows

BLOCK = 1024  # numbers that are added up in float32
_WORK = 8  # multiply-adds that take as long as a number
_F = np.float32
_ZERO, _HALF, _ONE, _TWO, _HUNDRED, _LN_2 = map(_F, (0, 0.5, 1, 2, 100, np.log(2)))
_NEAR = _F(0.17)  # up to which the series of artanh has few terms


def loss_and_slopes(name, p, t, scale, parameters):
    """``(total, dp)``: the sum of the losses `name` of predictions p and targets t, and its derivative times `scale`.

    Args:
        p, t: arrays of one shape. For other dtypes than float32 nothing is compiled, and None is returned.
        parameters: numbers, in the order of the loss's own arguments.
    """
    if p.dtype != np.float32 or t.dtype != np.float32:
        return None
    dp, v = np.empty(p.shape, np.float32), np.empty(p.size, np.float32)
    arrays = plain(p).reshape(-1), plain(t).reshape(-1), v, dp.reshape(-1)
    by_rows(_KERNELS[name], p.size, _WORK * p.size, *arrays, _F(scale), *map(_F, parameters))
    return blockwise_sum(v), dp


@njit
def blockwise_sum(v):
    """The sum of some numbers at a time in float32, and of these sums in float64."""
    total = 0.0
    for start in range(0, v.size, BLOCK):
        block, of_block = v[start : start + BLOCK], _ZERO
        for k in range(block.size):
            of_block += block[k]
        total += of_block
    return total


_exact = njit(reorder=False, fuse=False)


@_exact
def _mean_absolute_error(first, stop, p, t, v, dp, scale):
    p, t, v, dp = p[first:stop], t[first:stop], v[first:stop], dp[first:stop]
    for k in range(p.size):
        e = p[k] - t[k]
        v[k] = abs(e)
        sign = _ONE if e > _ZERO else e  # 0 where e is 0, and NaN where it is NaN
        dp[k] = scale * (-_ONE if e < _ZERO else sign)


@_exact
def _huber(first, stop, p, t, v, dp, scale, delta):
    p, t, v, dp = p[first:stop], t[first:stop], v[first:stop], dp[first:stop]
    for k in range(p.size):
        e = p[k] - t[k]
        size = abs(e)
        cut = delta if size > delta else size
        v[k] = cut * (size - _HALF * cut)
        dp[k] = scale * (-cut if e < _ZERO else cut)


@_exact
def _mean_absolute_percentage_error(first, stop, p, t, v, dp, scale, epsilon):
    p, t, v, dp = p[first:stop], t[first:stop], v[first:stop], dp[first:stop]
    for k in range(p.size):
        size = abs(t[k])
        size = epsilon if size < epsilon else size
        e = p[k] - t[k]
        v[k] = _HUNDRED * (abs(e) / size)
        sign = _ONE if e > _ZERO else e
        dp[k] = scale * (_HUNDRED * ((-_ONE if e < _ZERO else sign) / size))


@_exact
def _mean_squared_logarithmic_error(first, stop, p, t, v, dp, scale, epsilon):
    """log(1 + p) - log(1 + t) = 2 artanh((p - t) / (2 + p + t)): where the two are near, nothing cancels."""
    p, t, v, dp = p[first:stop], t[first:stop], v[first:stop], dp[first:stop]
    for k in range(p.size):
        p_k, t_k = epsilon if p[k] < epsilon else p[k], epsilon if t[k] < epsilon else t[k]
        s = (p_k - t_k) / (_TWO + p_k + t_k)
        near, far = _TWO * artanh_series(s), log32((_ONE + p_k) / (_ONE + t_k))
        q = near if abs(s) < _NEAR else far
        v[k] = q * q
        dp[k] = scale * (_TWO * q / (_ONE + p_k)) if p_k == p[k] else _ZERO


@_exact
def _log_cosh(first, stop, p, t, v, dp, scale):
    p, t, v, dp = p[first:stop], t[first:stop], v[first:stop], dp[first:stop]
    for k in range(p.size):
        e = p[k] - t[k]
        size = abs(e)
        v[k] = size + log_1p_power(_TWO * size) - _LN_2
        dp[k] = scale * tanh32(e)


@_exact
def _poisson(first, stop, p, t, v, dp, scale, epsilon):
    p, t, v, dp = p[first:stop], t[first:stop], v[first:stop], dp[first:stop]
    for k in range(p.size):
        above_0 = p[k] + epsilon
        v[k] = p[k] - t[k] * log32(above_0)
        dp[k] = scale * (_ONE - t[k] / above_0)


@_exact
def _hinge(first, stop, p, t, v, dp, scale):
    p, t, v, dp = p[first:stop], t[first:stop], v[first:stop], dp[first:stop]
    for k in range(p.size):
        short = _ONE - t[k] * p[k]
        v[k] = _ZERO if short <= _ZERO else short  # NaN stays NaN
        dp[k] = scale * (-t[k] if short > _ZERO else _ZERO)


@_exact
def _squared_hinge(first, stop, p, t, v, dp, scale):
    p, t, v, dp = p[first:stop], t[first:stop], v[first:stop], dp[first:stop]
    for k in range(p.size):
        short = _ONE - t[k] * p[k]
        short = _ZERO if short <= _ZERO else short
        v[k] = short * short
        dp[k] = scale * (-_TWO * t[k] * short)


@_exact
def _kl_divergence(first, stop, p, t, v, dp, scale, epsilon):
    p, t, v, dp = p[first:stop], t[first:stop], v[first:stop], dp[first:stop]
    for k in range(p.size):
        p_k, t_k = cut(p[k], epsilon, _ONE), cut(t[k], epsilon, _ONE)
        v[k] = t_k * log32(t_k / p_k)
        dp[k] = scale * (-t_k / p_k) if p_k == p[k] else _ZERO


@_exact
def _binary_focal_crossentropy(first, stop, p, t, v, dp, scale, of_ones, of_zeros, from_logits, epsilon):
    """For gamma = 2, with weights of the classes."""
    p, t, v, dp = p[first:stop], t[first:stop], v[first:stop], dp[first:stop]
    for k in range(p.size):
        probability = sigmoid32(p[k])
        q = probability if from_logits else p[k]
        c = cut(q, epsilon, _ONE - epsilon)
        t_k, u_k = t[k], _ONE - t[k]
        entropy = -(t_k * log32(c) + u_k * log32(_ONE - c))
        wrong = _ONE - (t_k * q + u_k * (_ONE - q))
        w = t_k * of_ones + u_k * of_zeros
        v[k] = w * (wrong * wrong) * entropy
        slope = (c - t_k) / (c * (_ONE - c)) if c == q else _ZERO
        d = w * (wrong * wrong * slope - _TWO * wrong * (_TWO * t_k - _ONE) * entropy)
        dp[k] = scale * (d * (q * (_ONE - q)) if from_logits else d)


@_exact
def _binary_crossentropy(first, stop, p, t, v, dp, scale, epsilon):
    p, t, v, dp = p[first:stop], t[first:stop], v[first:stop], dp[first:stop]
    for k in range(p.size):
        c = cut(p[k], epsilon, _ONE - epsilon)
        v[k] = -(t[k] * log32(c) + (_ONE - t[k]) * log32(_ONE - c))
        dp[k] = scale * ((c - t[k]) / (c * (_ONE - c))) if c == p[k] else _ZERO


@_exact
def _logistic(first, stop, z, t, v, dz, scale):
    z, t, v, dz = z[first:stop], t[first:stop], v[first:stop], dz[first:stop]
    for k in range(z.size):
        v[k] = logistic32(z[k], t[k])
        dz[k] = scale * (sigmoid32(z[k]) - t[k])


_KERNELS = {
    "mean_absolute_error": _mean_absolute_error,
    "huber": _huber,
    "mean_absolute_percentage_error": _mean_absolute_percentage_error,
    "mean_squared_logarithmic_error": _mean_squared_logarithmic_error,
    "log_cosh": _log_cosh,
    "poisson": _poisson,
    "hinge": _hinge,
    "squared_hinge": _squared_hinge,
    "kl_divergence": _kl_divergence,
    "binary_crossentropy": _binary_crossentropy,
    "binary_focal_crossentropy": _binary_focal_crossentropy,
    "logistic": _logistic,
}
