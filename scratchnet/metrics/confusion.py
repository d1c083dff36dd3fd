"""Metrics of a binary decision: counts of right and wrong positives and negatives, at one threshold or many.

A prediction p is positive at the threshold h if p > h. TP, FP, TN and FN are the total weights of true positives, false
positives, true negatives and false negatives:

    precision = TP / (TP + FP)      recall = sensitivity = TP / (TP + FN)      specificity = TN / (TN + FP)

The state is two histograms, one of the true and one of the false samples: how many predictions lie between each two
neighbouring thresholds. Every count at every threshold is a sum of their bins.
"""

from collections.abc import Sequence

import numpy as np

from scratchnet import config
from scratchnet.losses.base import in_shape_of
from scratchnet.losses.weights import expanded_weights
from scratchnet.metrics.base import Metric
from scratchnet.registry import register
from scratchnet.variables import answer


class Confusion(Metric):
    """Base of all metrics of this kind.

    Args:
        thresholds: a list of numbers.
        top_k: if given, only the k largest predictions along the last axis can be positive.
        class_id: if given, only this entry of the last axis counts.
        labels: if given, so many labels along the last axis each have their own histograms.

    Raises ValueError for labels other than 0 and 1, for negative weights, and where shapes do not match.
    """

    def __init__(
        self,
        thresholds: float | Sequence[float] | None,
        name: str | None,
        dtype: str | None,
        top_k: int | None = None,
        class_id: int | None = None,
        labels=None,
    ):
        super().__init__(dtype, name)
        self.edges = np.asarray(thresholds, dtype=np.float64)
        self._cuts = _are_even(np.clip(self.edges, 0, 1))
        self.top_k, self.class_id = top_k, class_id
        self._make_histograms(() if labels is None else (labels,))

    def _make_histograms(self, shape):
        bins = (len(self.edges) + 1, *shape)
        self.histogram_true = self.add_variable(bins, "zeros", name="true")
        self.histogram_false = self.add_variable(bins, "zeros", name="false")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add one batch to the counts."""
        truth, p, weights = self._checked(y_true, y_pred, sample_weight)
        if self._cuts:
            p = np.clip(p, 0, 1)
        order = np.argsort(self.edges, kind="stable")
        edges = self.edges[order].astype(p.dtype)  # a float32 of 0.7 is not above the threshold 0.7
        # how many thresholds p is above
        bins = (p > edges[0]).astype(np.intp) if edges.size == 1 else np.searchsorted(edges, p, side="left")
        labels = self.histogram_true.shape[1:]
        if labels:
            bins = bins * labels[0] + np.arange(labels[0])
        size = self.histogram_true.value.size
        bins = (bins + size * truth).reshape(-1)  # those of the false samples, and behind them those of the true ones
        counts = np.bincount(bins, None if weights is None else weights.reshape(-1), 2 * size)
        for variable, of_these in ((self.histogram_false, counts[:size]), (self.histogram_true, counts[size:])):
            variable.assign_add(of_these.reshape(variable.shape))

    def _checked(self, y_true, y_pred, sample_weight):
        """The targets as booleans, the predictions as floats, and the weights, all of one shape; None if all are 1."""
        y_true, p = np.asarray(y_true), np.asarray(y_pred)
        p = p if p.dtype.kind == "f" else p.astype(np.float64)
        truth = in_shape_of(p, y_true)
        if truth is None:
            raise self.error(f"targets of shape {y_true.shape} do not match predictions of shape {p.shape}")
        weights = None if sample_weight is None else self._expanded(np.asarray(sample_weight), p.shape)
        if truth.dtype != bool:
            wrong = (truth != 0) & (truth != 1)
            if weights is not None:
                wrong &= weights != 0
            if wrong.any():
                raise self.error(f"targets must be 0 or 1, got {truth[wrong][0]}; labels -1 and +1 become (y + 1) / 2")
        if self.top_k is not None:
            p = _only_largest(p, self.top_k)
        if self.class_id is not None:
            if p.ndim < 2:
                raise self.error(f"class_id needs predictions (N, classes), got shape {p.shape}")
            truth, p, weights = (None if a is None else a[..., self.class_id] for a in (truth, p, weights))
        return truth.astype(bool), p, weights

    def _expanded(self, given, shape):
        weights = expanded_weights(given, shape)
        if weights is None:
            raise self.error(f"weights of shape {given.shape} do not match predictions of shape {shape}")
        if np.min(weights, initial=0) < 0:
            raise self.error(f"weights must not be negative, got {np.min(weights):g}")
        return np.broadcast_to(weights, shape).astype(np.float64)

    true_positives = property(lambda self: answer(self.counts()[0]))
    false_positives = property(lambda self: answer(self.counts()[1]))
    true_negatives = property(lambda self: answer(self.counts()[2]))
    false_negatives = property(lambda self: answer(self.counts()[3]))

    def counts(self):
        """TP, FP, TN and FN: arrays with an entry for each threshold (and label)."""
        order = np.argsort(self.edges, kind="stable")
        above = []
        for histogram in (self.histogram_true.value, self.histogram_false.value):
            sums = np.cumsum(histogram[::-1], axis=0)[::-1][1:]  # above the 1st, 2nd, ... threshold in order
            unsorted = np.empty_like(sums)
            unsorted[order] = sums
            above.append(unsorted)
        tp, fp = above
        return tp, fp, self.histogram_false.value.sum(axis=0) - fp, self.histogram_true.value.sum(axis=0) - tp


def _are_even(thresholds):
    """Whether they go evenly from 0 to 1: then predictions beyond are taken for 0 or 1, as in Keras."""
    even = np.linspace(0, 1, len(thresholds)) if thresholds.ndim else None
    return even is not None and len(even) > 2 and np.allclose(thresholds, even, atol=config.epsilon())


def _only_largest(p, k):
    """`p` in which all but the k largest along the last axis are -1e10, which is below any threshold."""
    largest = np.argsort(-p, axis=-1, kind="stable")[..., :k]  # of equal ones the first
    kept = np.full_like(p, -1e10)
    np.put_along_axis(kept, largest, np.take_along_axis(p, largest, axis=-1), axis=-1)
    return kept


def ratio(a, b):
    """a / b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros(np.broadcast_shapes(np.shape(a), np.shape(b))), where=np.not_equal(b, 0))


class _AtThresholds(Confusion):
    """Base of the metrics whose thresholds the user may give: None, one, or a list.

    Args:
        thresholds: a prediction above it is positive; for a list, the result is an array. None means 0.5, or, with
            `top_k`, lower than any prediction.
        top_k, class_id: see `Confusion`.
        name, dtype: see `Metric`.

    Raises ValueError for a threshold outside [0, 1].
    """

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ):
        usual = 0.5 if top_k is None else -1e9
        given = [usual] if thresholds is None else np.atleast_1d(thresholds)
        if thresholds is not None and not all(0 <= threshold <= 1 for threshold in given):
            raise ValueError(f"{type(self).__name__}: thresholds must lie in [0, 1], got {thresholds!r}")
        super().__init__(given, name, dtype, top_k, class_id)
        self.thresholds = thresholds

    def result(self):
        values = self.of_counts(*self.counts())
        return values if isinstance(self.thresholds, (list, tuple, np.ndarray)) and len(values) > 1 else values[0]


class _Count(_AtThresholds):
    """Base of the four counts themselves. Arguments as `_AtThresholds`."""

    def __init__(
        self, thresholds: float | Sequence[float] | None = None, name: str | None = None, dtype: str | None = None
    ):
        super().__init__(thresholds, None, None, name, dtype)


@register("metrics")
class TruePositives(_Count):
    """The weight of the true samples that are predicted positive."""

    def of_counts(self, tp, fp, tn, fn):
        return tp


@register("metrics")
class FalsePositives(_Count):
    """The weight of the false samples that are predicted positive."""

    def of_counts(self, tp, fp, tn, fn):
        return fp


@register("metrics")
class TrueNegatives(_Count):
    """The weight of the false samples that are predicted negative."""

    def of_counts(self, tp, fp, tn, fn):
        return tn


@register("metrics")
class FalseNegatives(_Count):
    """The weight of the true samples that are predicted negative."""

    def of_counts(self, tp, fp, tn, fn):
        return fn


@register("metrics")
class Precision(_AtThresholds):
    """The share of the positive predictions that are right: TP / (TP + FP)."""

    def of_counts(self, tp, fp, tn, fn):
        return ratio(tp, tp + fp)


@register("metrics")
class Recall(_AtThresholds):
    """The share of the positive targets that are found: TP / (TP + FN)."""

    def of_counts(self, tp, fp, tn, fn):
        return ratio(tp, tp + fn)


class _BestUnderConstraint(Confusion):
    """Base of the metrics that give the best value of one share while another is at least a given value.

    Args:
        value: the least value of the other share, in [0, 1].
        num_thresholds: how many thresholds are tried, evenly spaced from 0 to 1; a single one is 0.5.
        class_id: see `Confusion`.
        name, dtype: see `Metric`.
    """

    def __init__(
        self,
        value: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ):
        if not 0 <= value <= 1:
            raise ValueError(f"{type(self).__name__}: the value to reach must lie in [0, 1], got {value!r}")
        if num_thresholds < 1:
            raise ValueError(f"{type(self).__name__}: num_thresholds must be at least 1, got {num_thresholds!r}")
        thresholds = [0.5] if num_thresholds == 1 else np.linspace(0, 1, num_thresholds)
        super().__init__(thresholds, name, dtype, class_id=class_id)
        self.value, self.num_thresholds = value, num_thresholds

    def result(self):
        best, constrained = self.of_counts(*self.counts())
        fits = constrained >= self.value
        return best[fits].max() if fits.any() else 0.0


@register("metrics")
class SensitivityAtSpecificity(_BestUnderConstraint):
    """The best sensitivity at a specificity of at least `specificity`."""

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity

    def of_counts(self, tp, fp, tn, fn):
        return ratio(tp, tp + fn), ratio(tn, tn + fp)


@register("metrics")
class SpecificityAtSensitivity(_BestUnderConstraint):
    """The best specificity at a sensitivity of at least `sensitivity`."""

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity

    def of_counts(self, tp, fp, tn, fn):
        return ratio(tn, tn + fp), ratio(tp, tp + fn)


@register("metrics")
class PrecisionAtRecall(_BestUnderConstraint):
    """The best precision at a recall of at least `recall`."""

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ):
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall

    def of_counts(self, tp, fp, tn, fn):
        return ratio(tp, tp + fp), ratio(tp, tp + fn)


@register("metrics")
class RecallAtPrecision(_BestUnderConstraint):
    """The best recall at a precision of at least `precision`."""

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ):
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision

    def of_counts(self, tp, fp, tn, fn):
        return ratio(tp, tp + fn), ratio(tp, tp + fp)
