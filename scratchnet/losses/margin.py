"""The margin loss of capsules: a class that is there should be long, one that is not should be short.

    v = sum over classes k of  T_k max(0, m+ - p_k)^2 + lambda (1 - T_k) max(0, p_k - m-)^2

p_k is the length of capsule k, T the one-hot target; several classes may be there at once. Absent classes count less,
so that at first not all lengths shrink (Sabour, Frosst and Hinton, "Dynamic routing between capsules", 2017).

    dv/dp_k = -2 T_k max(0, m+ - p_k) + 2 lambda (1 - T_k) max(0, p_k - m-)
"""

import numpy as np

from scratchnet.losses.base import Loss
from scratchnet.registry import register


@register("losses")
class MarginLoss(Loss):
    """The margin loss over the last axis.

    Args:
        present: m+, how long the capsule of a class that is there should at least be.
        absent: m-, how long one that is not may at most be.
        down_weight: lambda, how much absent classes count.
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        present: float = 0.9,
        absent: float = 0.1,
        down_weight: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "margin_loss",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        self.present = present
        self.absent = absent
        self.down_weight = down_weight

    def values(self, y_true, y_pred):
        short = np.maximum(0, y_pred.dtype.type(self.present) - y_pred)
        long = np.maximum(0, y_pred - y_pred.dtype.type(self.absent))
        values = y_true * short**2 + self.down_weight * (1 - y_true) * long**2
        return values.sum(axis=-1), (y_true, short, long)

    def gradient(self, dvalues, cache):
        t, short, long = cache
        return 2 * (self.down_weight * (1 - t) * long - t * short) * dvalues
