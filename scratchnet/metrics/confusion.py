"""Metrics of a binary decision: how many positives and negatives are taken for which."""

import numpy as np

from scratchnet.activations import sigmoid
from scratchnet.losses.base import expanded_weights, in_shape_of
from scratchnet.metrics.base import Metric
from scratchnet.registry import register


class _Confusion(Metric):
    """TP / (TP + errors); a subclass says which errors: false positives (Precision) or false negatives (Recall).

    Args:
        thresholds: a prediction above this number is positive; None is 0.5.
        name, dtype: see `Metric`.

    Raises TypeError for what only Keras has: several thresholds, `top_k`, `class_id`.
    """

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(name, dtype)
        if thresholds is not None and not np.isscalar(thresholds):
            raise TypeError(f"{type(self).__name__}: a list of thresholds is not implemented in scratchnet")
        for argument, value in (("top_k", top_k), ("class_id", class_id)):
            if value is not None:
                raise TypeError(f"{type(self).__name__}: Keras's {argument}={value!r} is not implemented in scratchnet")
        self.thresholds = thresholds

    def reset_state(self):
        self.true_positives = 0.0
        self.against = 0.0

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count in one batch. Raises ValueError where shapes do not match."""
        truth, y_pred, weights = _checked(self, y_true, y_pred, sample_weight)
        positive = y_pred > (0.5 if self.thresholds is None else self.thresholds)
        self.true_positives += float(weights[truth & positive].sum())
        self.against += float(weights[self._against(truth, positive)].sum())

    def result(self):
        counted = self.true_positives + self.against
        return self.true_positives / counted if counted else 0.0


@register("metrics")
class Precision(_Confusion):
    """Of the positive predictions, the share that is right."""

    @staticmethod
    def _against(truth, positive):
        return positive & ~truth


@register("metrics")
class Recall(_Confusion):
    """Of the positive targets, the share that is found."""

    @staticmethod
    def _against(truth, positive):
        return truth & ~positive


@register("metrics")
class AUC(Metric):
    """The area under the ROC curve, or under that of precision over recall, by the trapezoids between thresholds.

    A threshold of 0.5, say, takes predictions above it for positive. The curve of precision over recall is not straight
    between two of its points; there the area is that of Davis and Goadrich (2006), "The relationship between
    precision-recall and ROC curves".

    Args:
        num_thresholds: how many there are, evenly from 0 to 1; at least 2.
        curve: "ROC" or "PR".
        name, dtype: see `Metric`.
        thresholds: instead of even ones, these, within [0, 1].
        from_logits: whether predictions are logits.

    Raises:
        ValueError: for an unknown curve or too few thresholds, and for predictions outside [0, 1].
        TypeError: for what only Keras has: another summation method, several labels.
    """

    def __init__(
        self,
        num_thresholds=200,
        curve="ROC",
        summation_method="interpolation",
        name="auc",
        dtype=None,
        thresholds=None,
        multi_label=False,
        num_labels=None,
        label_weights=None,
        from_logits=False,
    ):
        for argument, value, usual in (
            ("summation_method", summation_method, "interpolation"),
            ("multi_label", multi_label, False),
            ("num_labels", num_labels, None),
            ("label_weights", label_weights, None),
        ):
            if value != usual:
                raise TypeError(f"AUC: Keras's {argument}={value!r} is not implemented in scratchnet")
        if curve not in ("ROC", "PR"):
            raise ValueError(f'AUC: curve must be "ROC" or "PR", got {curve!r}')
        if num_thresholds < 2:
            raise ValueError(f"AUC: num_thresholds must be at least 2, got {num_thresholds!r}")
        inner = np.linspace(0, 1, num_thresholds)[1:-1] if thresholds is None else np.sort(thresholds)
        self._edges = np.concatenate([[-1e-7], inner, [1 + 1e-7]])  # all are positive at the first, none at the last
        self.num_thresholds = len(self._edges)
        self.curve = curve
        self.thresholds = None if thresholds is None else [float(t) for t in thresholds]
        self.from_logits = bool(from_logits)
        super().__init__(name, dtype)

    def reset_state(self):
        # The weights of the true and of the false samples between a threshold and the next.
        self._true = np.zeros(self.num_thresholds)
        self._false = np.zeros(self.num_thresholds)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count in one batch."""
        truth, p, weights = _checked(self, y_true, y_pred, sample_weight)
        if self.from_logits:
            p = sigmoid(p)
        if p.size and not (p.min() >= 0 and p.max() <= 1):
            raise ValueError(f'AUC "{self.name}": predictions must lie in [0, 1], got {p.min():g} to {p.max():g}')
        edges = self._edges.astype(p.dtype)  # a float32 of 0.7 is not above the threshold 0.7
        last = np.searchsorted(edges, p, side="left") - 1  # the last threshold that p is above
        self._true += np.bincount(last[truth], weights[truth], self.num_thresholds)
        self._false += np.bincount(last[~truth], weights[~truth], self.num_thresholds)

    def result(self):
        tp, fp = (np.cumsum(counts[::-1])[::-1] for counts in (self._true, self._false))  # above each threshold
        if self.curve == "ROC":
            recall, fall_out = _ratio(tp, tp[0]), _ratio(fp, fp[0])
            return float(((fall_out[:-1] - fall_out[1:]) * (recall[:-1] + recall[1:]) / 2).sum())
        # Between two thresholds TP is taken for linear in P = TP + FP: TP = a + b P. Precision is then a / P + b, whose
        # integral over TP is b (TP + a log(P)).
        positives = tp + fp
        b = _ratio(tp[:-1] - tp[1:], positives[:-1] - positives[1:])
        a = tp[1:] - b * positives[1:]
        both = (positives[:-1] > 0) & (positives[1:] > 0)
        log_ratio = np.log(np.where(both, _ratio(positives[:-1], positives[1:]), 1))
        return float(_ratio(b * (tp[:-1] - tp[1:] + a * log_ratio), tp[0]).sum())


def _ratio(a, b):
    """a / b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros(np.shape(a)), where=np.not_equal(b, 0))


def _checked(metric, y_true, y_pred, sample_weight):
    """Which targets are true, the predictions, and the weight of each, in one shape."""
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    owner = f'{type(metric).__name__} "{metric.name}"'
    truth = in_shape_of(y_pred, y_true)
    if truth is None:
        raise ValueError(f"{owner}: targets of shape {y_true.shape} do not match predictions of shape {y_pred.shape}")
    given = 1.0 if sample_weight is None else sample_weight
    weights = expanded_weights(given, y_pred.shape)
    if weights is None:
        raise ValueError(
            f"{owner}: weights of shape {np.shape(given)} do not match predictions of shape {y_pred.shape}"
        )
    return truth.astype(bool), y_pred, np.broadcast_to(weights, y_pred.shape).astype(np.float64)
