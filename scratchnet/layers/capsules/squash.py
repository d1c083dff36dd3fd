"""Squashing: a vector keeps its direction, and its length, which may be anything, is pressed into [0, 1).

    v = s |s| / (1 + |s|^2)

Short vectors shrink to almost nothing, long ones to a little less than 1, so that the length can be read as the
probability that something is there, and the direction as what it looks like (Sabour, Frosst and Hinton, "Dynamic
routing between capsules", 2017, equation 1). With n = |s| and g(n) = n / (1 + n^2), v = g s, so

    ds = g dv + g'(n) / n (s . dv) s        g'(n) = (1 - n^2) / (1 + n^2)^2
"""

import numpy as np

from scratchnet.layers.base import Layer
from scratchnet.registry import register


@register("layers")
class Squash(Layer):
    """Squashes the vectors along the last axis; any shape."""

    def forward(self, x, training=False):
        return squash(x), x

    def backward(self, dy, cache, needs_dx=True):
        return squash_backward(dy, cache), {}


def squash(s):
    """v, for vectors s along the last axis."""
    n = np.sqrt(np.square(s).sum(axis=-1, keepdims=True))
    return s * (n / (1 + n * n))


def squash_backward(dv, s):
    """ds. At s = 0, where there is no direction, it is 0."""
    n = np.sqrt(np.square(s).sum(axis=-1, keepdims=True))
    along = (s * dv).sum(axis=-1, keepdims=True)
    slope = (1 - n * n) / (1 + n * n) ** 2 / np.where(n > 0, n, 1)  # g'(n) / n
    return dv * (n / (1 + n * n)) + slope * along * s
