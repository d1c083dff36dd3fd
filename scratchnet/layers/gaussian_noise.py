"""Gaussian noise, added in training only: y = x + stddev * normal. Its derivative by x is 1 (Bishop 1995)."""

from scratchnet.layers.base import Layer
from scratchnet.random import RandomStream


class GaussianNoise(Layer):
    """Any shape.

    Args:
        stddev: the standard deviation of the noise, at least 0.
        seed: an integer makes the noise repeatable by itself; None takes the library's seed.
    """

    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(**kwargs)
        if isinstance(stddev, bool) or not isinstance(stddev, (int, float)) or not 0 <= stddev < float("inf"):
            raise self.error(f"stddev must be a number of at least 0, got {stddev!r}")
        self.stddev = stddev
        self.seed = seed
        self.random = RandomStream(seed)

    def forward(self, x, training=False):
        if not training or self.stddev == 0:
            return x, None
        return x + (self.stddev * self.random.normal(x.shape)).astype(x.dtype), None

    def backward(self, dy, cache):
        return dy, {}

    def random_streams(self):
        return {"random": self.random}
