"""The largest of several inputs, element by element: dy goes to the one that was chosen, of equal ones the first."""

import numpy as np

from scratchnet.layers.merging.merge import Extreme
from scratchnet.registry import register


@register("layers")
class Maximum(Extreme):
    """[(N, ...), (N, ...), ...] -> (N, ...), axes of size 1 repeated. What a mask does not count is not chosen.

    Raises ValueError unless there are one or more inputs whose shapes match.
    """

    worst = -np.inf

    def better(self, a, b):
        return np.maximum(a, b)


def maximum(inputs, **kwargs):
    """``Maximum(**kwargs)(inputs)``."""
    return Maximum(**kwargs)(inputs)
