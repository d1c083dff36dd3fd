"""A rectangle of each image taken from another one of the batch, and as much of its label (Yun et al., "CutMix:
regularization strategy to train strong classifiers with localizable features", 2019).

    y[n] = x[order[n]] inside the rectangle, x[n] elsewhere        the adjoint goes where the pixel came from
"""

import numpy as np

from scratchnet.hints import Any, Seed
from scratchnet.layers.preprocessing.images.boxes import random_box
from scratchnet.layers.preprocessing.images.image_layer import check_range
from scratchnet.layers.preprocessing.images.partners import Mixing
from scratchnet.registry import register


@register("layers")
class CutMix(Mixing):
    """(N, H, W, C) -> (N, H, W, C), in training; on a dict, "labels" (N, classes), too.

    Args:
        factor: the part of an image that stays its own is of the beta distribution, whose parameter is drawn between
            these two numbers in [0, 1]; one number f stands for (0, f).
        seed: an integer of at least 0 makes the numbers repeatable by themselves.
        data_format: "channels_last" or "channels_first".

    Raises ValueError for an invalid factor.
    """

    def __init__(self, factor: Any = 1.0, seed: Seed = None, data_format: str | None = None, **kwargs):
        super().__init__(seed, data_format, **kwargs)
        self.factor = check_range(self, "factor", factor, 0, 1, mirrored=False)

    def draw(self, shape):
        N, H, W, _ = shape
        lower, upper = self.factor
        alpha = lower + (upper - lower) * float(self.random.uniform((1, 1), by_row=False)[0, 0]) + 1e-6
        part = np.sqrt(1 - self.beta(N, alpha))  # of width and height
        masks, area = random_box(part, part, self.random.uniform((N, 2)), H, W)
        return {"permutation_order": self.order(N), "batch_masks": masks, "mix_weight": 1 - area}

    def transform(self, x, drawn):
        return np.where(drawn["batch_masks"], self.partners(x, drawn["permutation_order"]), x), None

    def transform_backward(self, dy, drawn, kept):
        inside = drawn["batch_masks"]
        nothing = dy.dtype.type(0)
        own, others = np.where(inside, nothing, dy), np.where(inside, dy, nothing)
        return own + self.partners_backward(others, drawn["permutation_order"])
