"""Gaussian noise, added in training only: y = x + stddev * normal. Its derivative by x is 1 (Bishop 1995)."""

from scratchnet.checks import check_number
from scratchnet.hints import Seed
from scratchnet.layers.regularization.dropout import RandomLayer
from scratchnet.registry import register


@register("layers")
class GaussianNoise(RandomLayer):
    """Any shape.

    Args:
        stddev: the standard deviation of the noise, at least 0.
        seed: an integer of at least 0 makes the noise repeatable by itself; None takes the library's seed.

    Raises ValueError unless stddev >= 0 and seed is None or an integer of at least 0.
    """

    def __init__(self, stddev: float, seed: Seed = None, **kwargs):
        super().__init__(seed, **kwargs)
        self.stddev = check_number(self, "stddev", stddev)

    def forward(self, x, training=False):
        if not training or self.stddev == 0:
            return x, None
        return x + self.random.normal(x.shape, 0, self.stddev, x.dtype), None

    def backward(self, dy, cache, needs_dx=True):
        return dy, {}
