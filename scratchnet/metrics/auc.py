"""The area under a curve that a threshold draws as it falls from 1 to 0.

    ROC: recall over the false positives' share FP / (FP + TN)        PR: precision over recall
    PRGAIN: 1 - FP pi / TP over 1 - FN pi / TP, pi the odds of the true ones (Flach and Kull 2015)

The ROC area is the probability that a true sample is ranked above a false one. Between two points the curve is taken
for straight. That of precision over recall is not: there TP is linear in TP + FP (Davis and Goadrich, "The relationship
between precision-recall and ROC curves", 2006).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet.activations import sigmoid
from scratchnet.metrics.confusion import Confusion, ratio
from scratchnet.registry import register


@register("metrics")
class AUC(Confusion):
    """The area under the ROC curve, or another one, by sums over thresholds.

    Args:
        num_thresholds: how many there are, evenly from 0 to 1; at least 2.
        curve: "ROC", "PR" or "PRGAIN".
        summation_method: "interpolation", or the smaller ("minoring") or larger ("majoring") of the heights at both
            ends of an interval.
        name, dtype: see `Metric`.
        thresholds: instead of even ones, these, within [0, 1].
        multi_label: whether each place of the last axis has a curve of its own; the result is the areas' mean.
        num_labels: how many; by default as many as the first predictions have.
        label_weights: of the labels: in the mean with `multi_label`, else of their samples.
        from_logits: whether predictions are logits.

    Predictions outside of [0, 1] count as 0 or 1; uneven `thresholds` are compared with them as they are.

    Raises ValueError for an unknown curve or method, too few thresholds, and predictions that are NaN.
    """

    def __init__(
        self,
        num_thresholds: int | None = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: str | None = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ):
        curve, summation_method = str(curve).upper(), str(summation_method).lower()
        if curve not in ("ROC", "PR", "PRGAIN"):
            raise ValueError(f'AUC: curve must be "ROC", "PR" or "PRGAIN", got {curve!r}')
        if summation_method not in ("interpolation", "minoring", "majoring"):
            known = '"interpolation", "minoring" or "majoring"'
            raise ValueError(f"AUC: summation_method must be {known}, got {summation_method!r}")
        if num_thresholds is None and thresholds is not None:
            num_thresholds = len(thresholds) + 2
        if not isinstance(num_thresholds, int) or num_thresholds < 2:
            raise ValueError(f"AUC: num_thresholds must be at least 2, got {num_thresholds!r}")
        if num_labels and not multi_label:
            raise ValueError("AUC: num_labels needs multi_label=True")
        inner = np.linspace(0, 1, num_thresholds)[1:-1] if thresholds is None else np.sort(thresholds)
        edges = [-1e-7, *inner, 1 + 1e-7]  # all are positive at the first, none at the last
        self.multi_label, self.num_labels = bool(multi_label), num_labels
        super().__init__(edges, name, dtype, labels=num_labels)
        self._cuts |= thresholds is None  # two are even as well
        self.num_thresholds = len(edges)
        self.curve, self.summation_method = curve, summation_method
        self._inner = None if thresholds is None else [float(t) for t in thresholds]
        self.label_weights = None if label_weights is None else np.asarray(label_weights, np.float64).tolist()
        self.from_logits = bool(from_logits)

    @property
    def thresholds(self):
        """All thresholds, those just outside of [0, 1] included."""
        return self.edges.tolist()

    def get_config(self):
        return {**super().get_config(), "thresholds": self._inner}

    def _make_histograms(self, shape):
        if not self.multi_label or shape:
            super()._make_histograms(shape)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count in one batch."""
        y_pred = np.asarray(y_pred)
        if self.multi_label:
            if y_pred.ndim != 2:
                raise self.error(f"with multi_label, predictions (N, labels) are expected, got shape {y_pred.shape}")
            if not self.variables:
                self._make_histograms(y_pred.shape[1:])
        super().update_state(y_true, y_pred, sample_weight)

    def _checked(self, y_true, y_pred, sample_weight):
        truth, p, weights = super()._checked(y_true, y_pred, sample_weight)
        if self.from_logits:
            p = sigmoid(p)
        if p.size and np.isnan(p.min()):
            raise self.error("a prediction is not a number (NaN)")
        if self.label_weights is not None and not self.multi_label:
            weights = np.broadcast_to(self.label_weights, p.shape) if weights is None else weights * self.label_weights
        return truth, p, weights

    def result(self):
        if not self.variables:
            return 0.0
        areas = self._areas(*self.counts())
        if not self.multi_label:
            return areas
        weights = np.ones(areas.shape) if self.label_weights is None else np.asarray(self.label_weights)
        return ratio((areas * weights).sum(), weights.sum())

    def _areas(self, tp, fp, tn, fn):
        if self.curve == "PR" and self.summation_method == "interpolation":
            return _area_of_precision(tp, fp)
        recall = ratio(tp, tp + fn)
        if self.curve == "ROC":
            x, y = ratio(fp, fp + tn), recall
        elif self.curve == "PR":
            x, y = recall, ratio(tp, tp + fp)
        else:
            odds = ratio(tp + fn, tn + fp)
            x = np.where(tp == 0, 0.0, np.maximum(1 - odds * ratio(fn, tp), 0))
            y = np.where(tp == 0, 1.0, 1 - odds * ratio(fp, tp))
        ends, method = (y[:-1], y[1:]), self.summation_method
        heights = sum(ends) / 2
        if method != "interpolation":
            heights = np.minimum(*ends) if method == "minoring" else np.maximum(*ends)
        return ((x[:-1] - x[1:]) * heights).sum(axis=0)


def _area_of_precision(tp, fp):
    """Between two thresholds TP is taken for linear in P = TP + FP: TP = a + b P. Precision is then a / P + b, whose
    integral over TP is b (TP + a log(P))."""
    positives = tp + fp
    b = ratio(tp[:-1] - tp[1:], positives[:-1] - positives[1:])
    a = tp[1:] - b * positives[1:]
    both = (positives[:-1] > 0) & (positives[1:] > 0)
    log_ratio = np.log(np.where(both, ratio(positives[:-1], positives[1:]), 1))
    return ratio(b * (tp[:-1] - tp[1:] + a * log_ratio), tp[0]).sum(axis=0)
