"""Normalizations: moments, and what is done with them; written with other operations."""

import math

from scratchnet import config
from scratchnet.ops.elementwise import add, divide, log10, maximum, multiply, rsqrt, square, subtract
from scratchnet.ops.norms import norm
from scratchnet.ops.operation import shape_of
from scratchnet.ops.reductions import mean, sum, var
from scratchnet.ops.shapes import reshape


def moments(x, axes, keepdims=False, synchronized=False):
    """``(mean, variance)`` over these axes. `synchronized` changes nothing here: a batch is one batch."""
    return mean(x, axes, keepdims), var(x, axes, keepdims)


def normalize(x, axis=-1, order=2, epsilon=None):
    """x divided by its norm of this order along an axis, by at least `epsilon` (1e-7 by default)."""
    epsilon = config.epsilon() if epsilon is None else epsilon
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"normalize: order must be an integer of at least 1, got {order!r}")
    if order == 2:  # the bound before the root, whose derivative at 0 is infinite
        return multiply(x, rsqrt(maximum(sum(square(x), axis, keepdims=True), epsilon * epsilon)))
    return divide(x, maximum(norm(x, order, axis, keepdims=True), epsilon))


def batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=1e-3):
    """``(x - mean) / sqrt(variance + epsilon) * scale + offset``, with one number of each for a place of `axis`."""
    mean, variance, offset, scale = (_along(v, x, axis) for v in (mean, variance, offset, scale))
    factor = rsqrt(add(variance, epsilon))
    z = multiply(subtract(x, mean), factor if scale is None else multiply(factor, scale))
    return z if offset is None else add(z, offset)


def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=None, **kwargs):
    """``(x - mean) / sqrt(variance + epsilon) * gamma + beta``, mean and variance over `axis` (Ba et al. 2016)."""
    if kwargs:
        raise TypeError(f"layer_normalization: {next(iter(kwargs))!r} is not supported; see rms_normalization")
    epsilon = config.epsilon() if epsilon is None else epsilon
    centred = subtract(x, mean(x, axis, keepdims=True))
    z = multiply(centred, rsqrt(add(mean(square(centred), axis, keepdims=True), epsilon)))
    z = z if gamma is None else multiply(z, _along(gamma, x, axis))
    return z if beta is None else add(z, _along(beta, x, axis))


def rms_normalization(x, scale=None, axis=-1, epsilon=None):
    """``x / sqrt(mean(x^2) + epsilon) * scale``, the mean over `axis` (Zhang and Sennrich 2019)."""
    epsilon = config.epsilon() if epsilon is None else epsilon
    z = multiply(x, rsqrt(add(mean(square(x), axis, keepdims=True), epsilon)))
    return z if scale is None else multiply(z, _along(scale, x, axis))


def _along(v, x, axis):
    """`v`, which has the axes `axis` of x, or all of them, so that it broadcasts against x."""
    if v is None or len(shape_of(v)) == len(shape_of(x)):
        return v
    ndim = len(shape_of(x))
    axes = [a % ndim for a in (axis if isinstance(axis, (tuple, list)) else (axis,))]
    return reshape(v, [shape_of(x)[k] if k in axes else 1 for k in range(ndim)])


def psnr(x1, x2, max_val):
    """The peak signal-to-noise ratio in decibels: ``20 log10(max_val) - 10 log10(mean((x1 - x2)^2))``."""
    noise = mean(square(subtract(x1, x2)))
    return subtract(20 * math.log10(max_val), multiply(log10(noise), 10.0))
