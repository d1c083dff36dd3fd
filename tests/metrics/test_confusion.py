"""Precision, Recall, AUC: by hand, targets without their last axis, areas that are not there."""

import numpy as np
import pytest

from scratchnet import metrics


def test_precision_and_recall():
    truth, p = np.array([1, 1, 0, 0, 1]), np.array([0.9, 0.4, 0.8, 0.1, 0.6])
    assert metrics.Precision()(truth, p) == pytest.approx(2 / 3)
    assert metrics.Recall()(truth, p) == pytest.approx(2 / 3)
    assert metrics.Recall(thresholds=0.3)(truth, p) == 1.0
    assert metrics.Precision()(truth, p, sample_weight=np.array([1, 1, 4, 1, 1])) == pytest.approx(2 / 6)
    assert metrics.Precision()(np.zeros(2), np.zeros(2)) == 0.0
    with pytest.raises(TypeError, match="list of thresholds"):
        metrics.Precision(thresholds=[0.1, 0.2])
    with pytest.raises(ValueError, match="targets of shape"):
        metrics.Recall()(np.zeros(2), np.zeros(3))


def test_binary_metrics_take_targets_without_the_last_axis():
    truth, p = np.array([1, 0, 1]), np.array([[0.9], [0.8], [0.2]])
    weights = np.array([1.0, 2.0, 4.0])
    assert metrics.BinaryAccuracy()(truth, p) == pytest.approx(1 / 3)
    for given in (weights, weights[:, None]):
        assert metrics.Precision()(truth, p, given) == pytest.approx(1 / 3)
        assert metrics.Recall()(truth, p[:, 0], given) == pytest.approx(1 / 5)
    with pytest.raises(ValueError, match=r'Precision "precision": targets of shape \(3,\)'):
        metrics.Precision()(truth, np.zeros((3, 3)))


def test_area_under_curves_by_hand():
    truth, p = [0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]
    assert metrics.AUC()(truth, p) == pytest.approx(0.75)  # of four pairs, three are in order
    assert metrics.AUC(curve="PR")(truth, p) == pytest.approx(0.79726744, rel=1e-6)
    assert metrics.AUC(from_logits=True)(truth, [-5.0, 0.1, -0.1, 5.0]) == pytest.approx(0.75)
    assert metrics.AUC()([1, 1], [0.2, 0.3]) == 0.0
    assert metrics.AUC(thresholds=[0.7])(np.array([0, 1]), np.array([0.7, 0.7], "float32")) == 0.5


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"curve": "PRGAIN"}, ValueError, 'curve must be "ROC" or "PR"'),
        ({"num_thresholds": 1}, ValueError, "at least 2"),
        ({"multi_label": True}, TypeError, "Keras's multi_label=True is not implemented"),
        ({"summation_method": "minoring"}, TypeError, "Keras's summation_method"),
    ],
)
def test_areas_that_are_not_there(options, kind, message):
    with pytest.raises(kind, match=message):
        metrics.AUC(**options)


def test_an_area_needs_probabilities():
    for p in ([0.5, 1.5], [0.5, np.nan]):
        with pytest.raises(ValueError, match=r'AUC "auc": predictions must lie in \[0, 1\]'):
            metrics.AUC()([0, 1], p)
