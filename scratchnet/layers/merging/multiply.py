"""The product of several inputs, such as a gate and what it lets through: y = x_1 x_2 ...

    dx_k = dy times the product of all inputs but x_k

That product is not y / x_k, which fails where x_k is 0: it is made of the products of those before k and of those
behind k.
"""

import numpy as np

from scratchnet.kernels.by_channels import times
from scratchnet.layers.merging.merge import MaskedMerge
from scratchnet.registry import register


@register("layers")
class Multiply(MaskedMerge):
    """[(N, ...), (N, ...), ...] -> (N, ...), axes of size 1 repeated. What a mask does not count is a factor of 1;
    where nothing counts, y is 0.

    Raises ValueError unless there are one or more inputs whose shapes match.
    """

    def merge(self, xs, counted):
        xs = [x if c is None else np.where(c, x, x.dtype.type(1)) for x, c in zip(xs, counted)]
        y, *others = xs
        for x in others:
            y = times(y, x)
        if all(c is not None for c in counted):
            y = np.where(np.logical_or.reduce(counted), y, y.dtype.type(0))
        return y, (xs, counted)

    def merge_backward(self, dy, terms):
        terms, counted = terms
        before = [dy]  # dy x_1 ... x_(k-1)
        for x in terms[:-1]:
            before.append(times(before[-1], x))
        behind = [terms[-1]]  # x_(k+1) ... x_n, from the last k but one on
        for x in terms[-2:0:-1]:
            behind.append(times(behind[-1], x))
        dxs = [*map(times, before[:-1], behind[::-1]), before[-1]]
        return [dx if c is None else dx * c for dx, c in zip(dxs, counted)]


def multiply(inputs, **kwargs):
    """``Multiply(**kwargs)(inputs)``."""
    return Multiply(**kwargs)(inputs)
