"""The smallest of several inputs, element by element: dy goes to the one that was chosen, of equal ones the first."""

import numpy as np

from scratchnet.layers.merging.merge import Merge
from scratchnet.registry import register


@register("layers")
class Minimum(Merge):
    """[(N, ...), (N, ...), ...] -> (N, ...), axes of size 1 repeated.

    Raises ValueError unless there are two or more inputs whose shapes match.
    """

    def merge(self, xs):
        y = xs[0]
        for x in xs[1:]:
            y = np.minimum(y, x)
        chosen = np.full(y.shape, -1)
        for k in range(len(xs) - 1, -1, -1):  # the first that is equal is written last
            chosen[np.broadcast_to(xs[k] == y, y.shape)] = k
        return y, (chosen, len(xs))

    def merge_backward(self, dy, terms):
        chosen, count = terms
        return [dy * (chosen == k) for k in range(count)]


def minimum(inputs, **kwargs):
    """``Minimum(**kwargs)(inputs)``."""
    return Minimum(**kwargs)(inputs)
