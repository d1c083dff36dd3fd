"""Dropout: in training, each number is left out with probability p, so that none can be relied on alone.

    y = x * mask / (1 - p),   mask = [u >= p] for uniform u            dx = dy * mask / (1 - p)

The factor keeps the expected value, so that outside of training nothing has to be done ("inverted" dropout; Srivastava
et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014).
"""

from typing import NamedTuple

import numpy as np

from scratchnet.checks import check_number
from scratchnet.layers.base import Layer
from scratchnet.random import RandomStream
from scratchnet.registry import register


class DropoutCache(NamedTuple):
    scaled_mask: np.ndarray | None  # 0 or 1 / (1 - p), of x's shape; None where nothing was dropped


@register("layers")
class Dropout(Layer):
    """Any shape.

    Args:
        rate: p, in [0, 1).
        seed: an integer of at least 0 makes the masks repeatable by themselves; None takes the library's seed.

    Raises ValueError for a rate or seed that is none.
    """

    absent = {"noise_shape": (None,)}

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = check_number(self, "rate", rate, below=1)
        self.random = RandomStream(seed)
        self.seed = None if seed is None else self.random.seed

    def forward(self, x, training=False):
        if not training or self.rate == 0:
            return x, DropoutCache(None)
        mask = self.random.uniform(x.shape) >= self.rate
        scaled_mask = mask * x.dtype.type(1 / (1 - self.rate))
        return x * scaled_mask, DropoutCache(scaled_mask)

    def backward(self, dy, cache, needs_dx=True):
        return dy if cache.scaled_mask is None else dy * cache.scaled_mask, {}

    def random_streams(self):
        return {"random": self.random}
