"""F scores: precision and recall in one number.

    F = (1 + beta^2) precision recall / (beta^2 precision + recall)

the harmonic mean for beta = 1; with beta = 2 recall counts twice as much (van Rijsbergen 1979).
"""

import numpy as np

from scratchnet import config
from scratchnet.checks import check_bounds
from scratchnet.metrics.base import Metric
from scratchnet.registry import register


@register("metrics", "fbeta_score")
class FBetaScore(Metric):
    """The F score of each class, or a mean of them, for targets and predictions (N, classes).

    Args:
        average: None for an array with one score a class; "micro": of the counts of all classes together; "macro": the
            mean of the scores; "weighted": their mean weighted by how often a class is true.
        beta: how many times recall counts, above 0.
        threshold: a prediction above is positive; None: the largest of each sample is.
        name, dtype: see `Metric`.
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: str | None = None,
    ):
        super().__init__(dtype, name)
        if average not in (None, "micro", "macro", "weighted"):
            raise self.error(f'average must be None, "micro", "macro" or "weighted", got {average!r}')
        self.average, self.beta = average, float(check_bounds(type(self).__name__, "beta", beta, above=0))
        if threshold is not None:
            check_bounds(type(self).__name__, "threshold", threshold, above=0, at_most=1)
        self.threshold = threshold
        self.true_positives = None  # with the next two made for the number of classes of the first batch

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count in one batch."""
        t, p = np.asarray(y_true, dtype=np.float64), np.asarray(y_pred)
        if t.ndim != 2 or t.shape != p.shape:
            raise self.error(f"expected targets and predictions (N, classes), got {t.shape} and {p.shape}")
        wrong = t[(t != 0) & (t != 1)]
        if wrong.size:
            raise self.error(f"targets must be 0 or 1, got {wrong[0]:g}; labels -1 and +1 become (y + 1) / 2")
        if self.true_positives is None:
            self.true_positives, self.false_positives, self.false_negatives = (
                self.add_variable(p.shape[1:], "zeros", name=name)
                for name in ("true_positives", "false_positives", "false_negatives")
            )
        if self.threshold is None:
            positive = (p >= p.max(axis=-1, keepdims=True)) & (np.abs(p) > 1e-9)
        else:
            positive = p > self.threshold
        weights = 1.0 if sample_weight is None else np.asarray(sample_weight, np.float64).reshape(-1, 1)
        self.true_positives.assign_add((positive * t * weights).sum(axis=0))
        self.false_positives.assign_add((positive * (1 - t) * weights).sum(axis=0))
        self.false_negatives.assign_add((~positive * t * weights).sum(axis=0))

    def result(self):
        if self.true_positives is None:
            return 0.0
        tp, fp, fn = (v.value for v in (self.true_positives, self.false_positives, self.false_negatives))
        support = tp + fn
        if self.average == "micro":
            tp, fp, fn = tp.sum(), fp.sum(), fn.sum()
        epsilon = config.epsilon()
        precision, recall = tp / (tp + fp + epsilon), tp / (tp + fn + epsilon)
        squared = self.beta**2
        scores = (1 + squared) * precision * recall / (squared * precision + recall + epsilon)
        if self.average == "weighted":
            return (scores * support).sum() / (support.sum() + epsilon)
        return scores if self.average is None else scores.mean()


@register("metrics", "f1_score")
class F1Score(FBetaScore):
    """The harmonic mean of precision and recall. Arguments as `FBetaScore`, with ``beta=1``."""

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: str | None = None,
    ):
        super().__init__(average, 1.0, threshold, name, dtype)
