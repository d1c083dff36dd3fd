"""Connectionist temporal classification as a loss: the recursion over all paths stands in `scratchnet.ops.ctc`.

values = -log P(labels | logits)        d(-log P) / d logits = p_t(k) - gamma_t(k)
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.losses.base import Loss
from scratchnet.ops.ctc import paths_of
from scratchnet.registry import register


class CTCCache(NamedTuple):
    p: Any  # softmax of the logits, (N, T, classes)
    gamma: Any  # (N, T, classes)


@register("losses")
class CTC(Loss):
    """-log of the probability of labels (N, L) given logits (N, T, classes); 0 is the blank, and fills up at the end.

    Args:
        reduction, name, dtype: see `Loss`.

    Raises ValueError for labels outside the classes, and for more labels than fit into T frames.
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "ctc", dtype: str | None = None
    ):
        super().__init__(name, reduction, dtype)

    def check_targets(self, y_true, y_pred):
        if y_pred.ndim != 3 or y_true.ndim != 2 or len(y_true) != len(y_pred):
            raise self.error(f"expected labels (N, L) and logits (N, T, classes), got {y_true.shape}, {y_pred.shape}")
        labels, classes = y_true.astype(np.int64), y_pred.shape[-1]
        if (labels != y_true).any() or labels.min(initial=0) < 0 or labels.max(initial=0) >= classes:
            raise self.error(f"labels must be integers from 0 (nothing) to {classes - 1}")
        return labels

    def values(self, y_true, y_pred):
        try:
            log_P, p, gamma = paths_of(y_true, y_pred)
        except ValueError as problem:
            raise self.error(str(problem)) from None
        return -log_P.astype(y_pred.dtype), CTCCache(p, gamma)

    def gradient(self, dvalues, cache):
        return (cache.p - cache.gamma) * dvalues[..., None]

    def values_shape(self, targets_shape, ndim):
        return targets_shape[:1]


@register("losses")
def ctc(y_true, y_pred):
    """The values of `CTC`, (N,), for labels (N, L) and logits (N, T, classes)."""
    return CTC(reduction=None)(y_true, y_pred)
