"""Images mixed with others of the batch, and their labels with them (Zhang et al., "mixup: beyond empirical risk
minimization", 2018).

    y[n] = w[n] x[n] + (1 - w[n]) x[order[n]]        dx[n] = w[n] dy[n]        dx[order[n]] += (1 - w[n]) dy[n]

w is drawn from the beta distribution: mostly near 0 or 1 for a small alpha.
"""

from scratchnet.checks import check_bounds
from scratchnet.hints import Seed
from scratchnet.layers.preprocessing.images.partners import Mixing
from scratchnet.registry import register


@register("layers")
class MixUp(Mixing):
    """(N, H, W, C) -> (N, H, W, C), in training; on a dict, "labels" (N, classes), too.

    Args:
        alpha: of the beta distribution, above 0.
        data_format: "channels_last" or "channels_first".
        seed: an integer of at least 0 makes the numbers repeatable by themselves.

    Raises ValueError for an invalid alpha.
    """

    def __init__(self, alpha: float = 0.2, data_format: str | None = None, seed: Seed = None, **kwargs):
        super().__init__(seed, data_format, **kwargs)
        self.alpha = check_bounds(f'{type(self).__name__} "{self.name}"', "alpha", alpha, above=0)

    def draw(self, shape):
        return {"mix_weight": self.beta(shape[0], self.alpha), "permutation_order": self.order(shape[0])}

    def transform(self, x, drawn):
        w = drawn["mix_weight"].astype(x.dtype).reshape(-1, 1, 1, 1)
        return w * x + (1 - w) * self.partners(x, drawn["permutation_order"]), None

    def transform_backward(self, dy, drawn, kept):
        w = drawn["mix_weight"].astype(dy.dtype).reshape(-1, 1, 1, 1)
        return w * dy + self.partners_backward((1 - w) * dy, drawn["permutation_order"])
