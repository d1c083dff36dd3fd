"""Alpha dropout: dropout that keeps mean 0 and variance 1, for networks of scaled exponential units.

    y = a (x mask + alpha' (1 - mask)) + b = (x - alpha') a mask + a alpha' + b            dx = dy a mask

What is left out becomes alpha', the value that selu gives to very negative numbers, not 0; a and b restore mean and
variance: a = ((1 - p) (1 + p alpha'^2))^(-1/2), b = -a alpha' p (Klambauer et al., "Self-normalizing neural networks",
2017).
"""

from collections.abc import Sequence

from scratchnet.checks import check_number
from scratchnet.hints import Seed
from scratchnet.layers.regularization.dropout import Dropout, DropoutCache
from scratchnet.registry import register

_LOWEST = -1.6732632423543772 * 1.0507009873554805  # of selu


@register("layers")
class AlphaDropout(Dropout):
    """Any shape.

    Args:
        rate: p, in [0, 1).
        noise_shape, seed: as of `Dropout`.

    Raises ValueError unless 0 <= rate < 1, the shape fits, and seed is None or an integer of at least 0.
    """

    def __init__(self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Seed = None, **kwargs):
        super().__init__(rate, noise_shape, seed, **kwargs)
        check_number(self, "rate", rate, below=1)  # of nothing, no factor makes a variance of 1

    def forward(self, x, training=False):
        if not training or self.rate == 0:
            return x, DropoutCache(None)
        shape, p, t = self._mask_shape(x.shape), self.rate, x.dtype.type
        a = ((1 - p) * (1 + p * _LOWEST**2)) ** -0.5
        b = -a * _LOWEST * p
        scaled_mask = self.random.mask(shape, p, t(a), by_row=not self._is_shared)  # a mask
        y = x - t(_LOWEST)
        y *= scaled_mask
        y += t(a * _LOWEST + b)
        return y, DropoutCache(scaled_mask)
