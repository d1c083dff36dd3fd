"""The generalized cross-entropy: between cross-entropy and absolute error, for labels some of which are wrong.

    v = (1 - p^q) / q                 p: the probability of the label        dp = -p^(q - 1)

As q goes to 0 this becomes -log(p), which fits everything, wrong labels too; q = 1 is the absolute error 1 - p, which
gives up on what will not fit. Zhang and Sabuncu, "Generalized cross entropy loss for training deep neural networks with
noisy labels", 2018.
"""

import numpy as np

from scratchnet.losses.base import Loss
from scratchnet.losses.checks import check_labels
from scratchnet.registry import register


@register("losses")
class CategoricalGeneralizedCrossEntropy(Loss):
    """``v = (1 - p^q) / q`` for integer labels (N, ...) or (N, ..., 1) and probabilities (N, ..., classes).

    Args:
        q: in (0, 1).
        reduction, name, dtype: see `Loss`.

    Raises ValueError for a label that is not an integer or is outside the classes.
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        if not 0 < q < 1:
            raise self.error(f"q must be between 0 and 1, got {q!r}")
        self.q = q

    def check_targets(self, y_true, y_pred):
        return check_labels(self, y_true, y_pred)

    def values(self, y_true, y_pred):
        labels = y_true[..., None].astype(np.int64)  # (N, ..., 1)
        p = np.take_along_axis(y_pred, labels, axis=-1)
        return ((1 - p**self.q) / self.q)[..., 0], (labels, p, y_pred.shape)

    def gradient(self, dvalues, cache):
        labels, p, shape = cache
        dy_pred = np.zeros(shape, p.dtype)
        np.put_along_axis(dy_pred, labels, -(p ** (self.q - 1)) * dvalues, axis=-1)
        return dy_pred


@register("losses")
def categorical_generalized_cross_entropy(y_true, y_pred, q):
    """The values of `CategoricalGeneralizedCrossEntropy`, (N, ...) for predictions (N, ..., classes)."""
    return CategoricalGeneralizedCrossEntropy(q, reduction=None)(y_true, y_pred)
