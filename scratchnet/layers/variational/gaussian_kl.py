"""How far the codes' distributions are from the one that codes are drawn from later: the other half of the bound.

The evidence lower bound of a variational autoencoder is, for one sample x with the code z ~ q = N(mu, e^l),

    log p(x)  >=  E[log p(x | z)] - KL(q || N(0, 1))

a reconstruction and a price for telling the decoder more than nothing. Between normal distributions the price has a
closed form, summed over the numbers of the code (Kingma and Welling, "Auto-encoding variational Bayes", 2014,
appendix B):

    KL = 1/2 sum(mu^2 + e^l - 1 - l)        dKL/dmu = mu        dKL/dl = (e^l - 1) / 2

It is 0 where mu = 0 and l = 0: then the code says nothing of x. If that happens to all of a code's numbers the
posterior has collapsed, and the decoder draws the same picture whatever the code.
"""

from typing import NamedTuple

import numpy as np

from scratchnet.checks import check_number
from scratchnet.layers.base import Layer
from scratchnet.parallel import rows_of_batch
from scratchnet.registry import register


class GaussianKLCache(NamedTuple):
    mean: np.ndarray  # (N, Z)
    log_variance: np.ndarray  # (N, Z)
    N: int  # samples in the whole batch


@register("layers")
class GaussianKL(Layer):
    """Adds the divergence from N(0, 1), in nats, averaged over the batch, to the loss; passes its inputs on unchanged.

    Args:
        weight: what it is multiplied by; 1 is the bound itself, other numbers make a beta-VAE (Higgins et al. 2017).

    Shapes: [mean (N, Z), log-variance (N, Z)] -> the same two.

    Raises ValueError for a weight below 0, and unless there are two inputs of the same shape.
    """

    def __init__(self, weight: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.weight = check_number(self, "weight", weight)

    def compute_output_shape(self, input_shape):
        if not isinstance(input_shape, list) or len(input_shape) != 2 or input_shape[0] != input_shape[1]:
            raise self.error(f"expected the mean and the log-variance, of the same shape, got {input_shape}")
        return input_shape

    def forward(self, x, training=False):
        mean, log_variance = x
        self.compute_output_shape([mean.shape, log_variance.shape])
        return [mean, log_variance], GaussianKLCache(mean, log_variance, rows_of_batch(len(mean)))

    def backward(self, dy, cache, needs_dx=True):
        mean, log_variance, N = cache
        scale = mean.dtype.type(self.weight / N)
        dmean = scale * mean
        dlog_variance = scale / 2 * np.expm1(log_variance)
        return [d if above is None else above + d for above, d in zip(dy, (dmean, dlog_variance))], {}

    def added_loss(self, cache):
        return self.weight * float(divergence(cache.mean, cache.log_variance).sum()) / cache.N


def divergence(mean, log_variance):
    """KL(N(mean, e^log_variance) || N(0, 1)) of each sample, in nats: (N, Z) -> (N,)."""
    return 0.5 * (np.square(mean) + np.exp(log_variance) - 1 - log_variance).reshape(len(mean), -1).sum(axis=1)
