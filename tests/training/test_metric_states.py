"""What a metric has counted, written down and given back."""

import numpy as np
import pytest

from scratchnet import metrics
from scratchnet.training.metric_states import set_state_of, state_of

Y, P = np.array([0, 1, 1, 2]), np.array([[0.5, 0.3, 0.2], [0.2, 0.7, 0.1], [0.6, 0.2, 0.2], [0.1, 0.2, 0.7]])


class Several(metrics.Metric):
    """Metrics within a metric, in a tuple, and what cannot be written down beside it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.total = self.add_variable((2,), "zeros")
        self.inner = metrics.Mean(), metrics.Sum()
        self.function, self.things = abs, [object()]

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(np.sum(y_pred, axis=0)[:2])
        for metric in self.inner:
            metric.update_state(y_pred)

    def result(self):
        return float(np.sum(self.total)) + sum(metric.result() for metric in self.inner)


@pytest.mark.parametrize(
    "make",
    [
        metrics.SparseCategoricalAccuracy,
        lambda: metrics.SparseTopKCategoricalAccuracy(2),
        lambda: metrics.MeanIoU(3, sparse_y_pred=False),
        metrics.SparseCategoricalCrossentropy,
        Several,
    ],
)
def test_another_metric_goes_on_from_it(make):
    whole, first, second = make(), make(), make()
    whole.update_state(Y, P)
    whole.update_state(Y[:2], P[1:3])
    first.update_state(Y, P)
    second.update_state(Y, P[::-1])
    kept = state_of(first)
    first.update_state(Y, P)  # does not reach what was written down
    set_state_of(second, kept)
    second.update_state(Y[:2], P[1:3])
    assert second.result() == whole.result()


def test_confusion_over_thresholds_goes_on():
    truth, scores = Y > 0, P[:, 1]
    whole, first, second = metrics.AUC(), metrics.AUC(), metrics.AUC()
    whole.update_state(np.tile(truth, 2), np.tile(scores, 2))
    first.update_state(truth, scores)
    set_state_of(second, state_of(first))
    second.update_state(truth, scores)
    assert second.result() == whole.result()
