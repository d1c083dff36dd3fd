"""Gaussian dropout: each number is multiplied by a normal one of mean 1, which disturbs as much as dropout of rate p.

    y = x m,   m = 1 + sqrt(p / (1 - p)) normal            dx = dy m

(Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014, section 10.)
"""

import math

from scratchnet.checks import check_number
from scratchnet.hints import Seed
from scratchnet.layers.regularization.dropout import RandomLayer
from scratchnet.registry import register


@register("layers")
class GaussianDropout(RandomLayer):
    """Any shape.

    Args:
        rate: p, in [0, 1).
        seed: an integer of at least 0 makes the noise repeatable by itself; None takes the library's seed.

    Raises ValueError unless 0 <= rate < 1 and seed is None or an integer of at least 0.
    """

    def __init__(self, rate: float, seed: Seed = None, **kwargs):
        super().__init__(seed, **kwargs)
        self.rate = check_number(self, "rate", rate, below=1)

    def forward(self, x, training=False):
        if not training or self.rate == 0:
            return x, None
        stddev = math.sqrt(self.rate / (1 - self.rate))
        m = self.random.normal(x.shape, 1, stddev, x.dtype)
        return x * m, m

    def backward(self, dy, cache, needs_dx=True):
        return dy if cache is None else dy * cache, {}
