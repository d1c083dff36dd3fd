"""The mean of several inputs: y = (x_1 + ... + x_n) / n; every dx_k is dy / n."""

from scratchnet.layers.merging.merge import Merge
from scratchnet.registry import register


@register("layers")
class Average(Merge):
    """[(N, ...), (N, ...), ...] -> (N, ...), axes of size 1 repeated.

    Raises ValueError unless there are one or more inputs whose shapes match.
    """

    keeps_integers = False

    def merge(self, xs):
        y, *others = xs
        for x in others:
            y = y + x
        return y / y.dtype.type(len(xs)), len(xs)

    def merge_backward(self, dy, terms):
        return [dy / dy.dtype.type(terms)] * terms


def average(inputs, **kwargs):
    """``Average(**kwargs)(inputs)``."""
    return Average(**kwargs)(inputs)
