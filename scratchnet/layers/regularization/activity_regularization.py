"""A penalty on what comes out of a layer: sparse codes, for example.

    y = x        added to the loss: sum(l1 |x| + l2 x^2) / N        dx = dy + (l1 sign(x) + 2 l2 x) / N

N is the number of samples in the whole batch.
"""

from typing import NamedTuple

import numpy as np

from scratchnet.checks import check_number
from scratchnet.layers.base import Layer
from scratchnet.parallel import rows_of_batch
from scratchnet.registry import register


class ActivityRegularizationCache(NamedTuple):
    x: np.ndarray
    N: int  # samples in the whole batch


@register("layers")
class ActivityRegularization(Layer):
    """Any shape, unchanged.

    Args:
        l1, l2: the factors of the absolute values and of the squares; at least 0.

    Raises ValueError for a factor below 0.
    """

    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.l1 = check_number(self, "l1", l1)
        self.l2 = check_number(self, "l2", l2)

    def forward(self, x, training=False):
        return x, ActivityRegularizationCache(x, rows_of_batch(len(x)))

    def backward(self, dy, cache, needs_dx=True):
        x, N = cache
        t = x.dtype.type
        dx = t(self.l1 / N) * np.sign(x) + t(2 * self.l2 / N) * x
        return dx if dy is None else dy + dx, {}

    def added_loss(self, cache):
        x, N = cache
        return float(self.l1 * np.abs(x).sum() + self.l2 * np.square(x).sum()) / N
