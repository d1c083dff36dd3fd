"""The sum of several inputs: y = x_1 + x_2 + ...; every dx_k is dy."""

from scratchnet.layers.merging.merge import Merge
from scratchnet.registry import register


@register("layers")
class Add(Merge):
    """[(N, ...), (N, ...), ...] -> (N, ...), axes of size 1 repeated.

    Raises ValueError unless there are one or more inputs whose shapes match.
    """

    def merge(self, xs):
        y, *others = xs
        for x in others:
            y = y + x
        return y, len(xs)

    def merge_backward(self, dy, terms):
        return [dy] * terms


def add(inputs, **kwargs):
    """``Add(**kwargs)(inputs)``."""
    return Add(**kwargs)(inputs)
