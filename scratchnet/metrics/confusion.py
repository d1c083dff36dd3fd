"""Precision and recall of a binary decision."""

import numpy as np

from scratchnet.metrics.base import Metric


class _Confusion(Metric):
    """Counts predictions above `thresholds` (one number, 0.5 by default) that are right, and what they are measured by."""

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(name, dtype)
        if thresholds is not None and not np.isscalar(thresholds):
            raise TypeError(f"{type(self).__name__}: a list of thresholds is not implemented in scratchnet")
        self.thresholds = thresholds

    def reset_state(self):
        self.true_positives = 0.0
        self.others = 0.0

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
        if y_true.size != y_pred.size:
            raise ValueError(
                f"{type(self).__name__}: targets of shape {y_true.shape}, predictions of shape {y_pred.shape}"
            )
        truth = y_true.reshape(y_pred.shape).astype(bool)
        positive = y_pred > (0.5 if self.thresholds is None else self.thresholds)
        weights = np.ones(y_pred.shape)
        if sample_weight is not None:
            given = np.asarray(sample_weight, dtype=np.float64)
            weights = weights * given.reshape(given.shape + (1,) * (y_pred.ndim - given.ndim))
        self.true_positives += float(weights[truth & positive].sum())
        self.others += float(weights[self._missed(truth, positive)].sum())

    def result(self):
        counted = self.true_positives + self.others
        return self.true_positives / counted if counted else 0.0


class Precision(_Confusion):
    """Of the positive predictions, the share that is right."""

    default_name = "precision"

    @staticmethod
    def _missed(truth, positive):
        return positive & ~truth


class Recall(_Confusion):
    """Of the positive targets, the share that is found."""

    default_name = "recall"

    @staticmethod
    def _missed(truth, positive):
        return truth & ~positive
