"""A random code whose distribution is learnt: the reparametrisation.

An encoder says for each sample where its code lies, a mean mu and a log-variance l for every number of it. Drawn from
the normal distribution N(mu, e^l), a code has no derivative; but the same code can be written as a deterministic
function of mu, l and a number eps that depends on nothing,

    z = mu + s * eps        s = e^(l / 2)        eps ~ N(0, 1)

and now it has (Kingma and Welling, "Auto-encoding variational Bayes", 2014, section 2.4; Rezende, Mohamed and Wierstra
2014). With the eps that was drawn,

    dmu = dz        dl = dz * s * eps / 2

The log-variance instead of the deviation, because any real number is one.
"""

from typing import NamedTuple

import numpy as np

from scratchnet.hints import Seed
from scratchnet.layers.base import Layer
from scratchnet.registry import register
from scratchnet.streams import RandomStream


class SamplingCache(NamedTuple):
    noise: np.ndarray  # s * eps, (N, Z)


@register("layers")
class Sampling(Layer):
    """Draws a code from the normal distribution with the given mean and log-variance.

    Args:
        seed: an integer of at least 0 makes the numbers repeatable by themselves; None takes the library's seed.

    Draws in training and at inference alike; whoever wants one code for each sample takes the mean. A row of the batch
    draws the same numbers however the batch is computed in parts.

    Shapes: [mean (N, ...), log-variance (N, ...)] -> (N, ...).

    Raises ValueError unless there are two inputs of the same shape.
    """

    def __init__(self, seed: Seed = None, **kwargs):
        super().__init__(**kwargs)
        self.random = RandomStream(seed)
        self.seed = None if seed is None else self.random.seed

    def compute_output_shape(self, input_shape):
        if not isinstance(input_shape, list) or len(input_shape) != 2 or input_shape[0] != input_shape[1]:
            raise self.error(f"expected the mean and the log-variance, of the same shape, got {input_shape}")
        return input_shape[0]

    def forward(self, x, training=False):
        mean, log_variance = x
        self.compute_output_shape([mean.shape, log_variance.shape])
        eps = self.random.normal(mean.shape, dtype=mean.dtype)
        noise = np.exp(log_variance / 2) * eps
        return mean + noise, SamplingCache(noise)

    def backward(self, dy, cache, needs_dx=True):
        return [dy, dy * cache.noise / 2], {}  # z = mean + e^(l / 2) eps

    def random_streams(self):
        return {"random": self.random}
