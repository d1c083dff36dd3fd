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
    with pytest.raises(ValueError, match="targets of shape"):
        metrics.Recall()(np.zeros(2), np.zeros(3))


def test_binary_metrics_take_targets_without_the_last_axis():
    truth, p = np.array([1, 0, 1]), np.array([[0.9], [0.8], [0.2]])
    weights = np.array([1.0, 2.0, 4.0])
    assert metrics.BinaryAccuracy()(truth, p) == pytest.approx(1 / 3)
    for given in (weights, weights[:, None]):
        assert metrics.Precision()(truth, p, given) == pytest.approx(1 / 3)
        assert metrics.Recall()(truth, p[:, 0], given) == pytest.approx(1 / 5)
    with pytest.raises(ValueError, match=r'Precision "precision\w*": targets of shape \(3,\)'):
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
        ({"curve": "RPC"}, ValueError, 'curve must be "ROC", "PR" or "PRGAIN"'),
        ({"num_thresholds": 1}, ValueError, "at least 2"),
        ({"num_labels": 2}, ValueError, "num_labels needs multi_label=True"),
        ({"summation_method": "minor"}, ValueError, "summation_method must be"),
    ],
)
def test_areas_that_are_not_there(options, kind, message):
    with pytest.raises(kind, match=message):
        metrics.AUC(**options)


def test_an_area_needs_numbers():
    with pytest.raises(ValueError, match=r'AUC "auc\w*": a prediction is not a number \(NaN\)'):
        metrics.AUC()([0, 1], [0.5, np.nan])


@pytest.mark.parametrize(
    "metric",
    [
        metrics.AUC(),
        metrics.AUC(num_thresholds=2),
        metrics.AUC(curve="PR", thresholds=[0.25, 0.5, 0.75]),
        metrics.AUC(multi_label=True),
        metrics.SensitivityAtSpecificity(0.7),
        metrics.SpecificityAtSensitivity(0.7, num_thresholds=5),
        metrics.Precision([0, 0.5, 1]),
    ],
    ids=lambda metric: metric.name,
)
def test_predictions_beyond_even_thresholds_count_as_0_or_1(metric):
    rng = np.random.default_rng(0)
    truth, p = rng.integers(0, 2, (40, 3)), 2 * rng.normal(size=(40, 3))
    expected = np.array(type(metric).from_config(metric.get_config())(truth, np.clip(p, 0, 1)))
    np.testing.assert_array_equal(metric(truth, p), expected)


def test_predictions_beyond_uneven_thresholds_are_compared_as_they_are():
    assert metrics.Precision([0.3, 1.0])([1, 0], [1.5, 0.5]).tolist() == [0.5, 1.0]
    truth, p = [1, 1, 0, 0], [-3.0, 0.9, -3.0, -2.0]
    assert metrics.AUC(thresholds=[0.2, 0.6])(truth, p) == 0  # the curve begins at the point (0, 1 / 2)


def test_predictions_may_be_integers_or_booleans():
    truth = np.array([1, 0, 1, 0])
    for p in (np.array([1, 0, 0, 0]), np.array([True, False, False, False])):
        assert metrics.AUC()(truth, p) == pytest.approx(0.75)
        assert metrics.Precision()(truth, p) == 1.0 and metrics.Recall()(truth, p) == 0.5


def test_labels_other_than_0_and_1_are_refused_unless_they_have_no_weight():
    for cls in (metrics.AUC, metrics.Precision, metrics.TrueNegatives):
        with pytest.raises(ValueError, match=r"targets must be 0 or 1, got -1; labels -1 and \+1 become"):
            cls()([-1, 1], [0.2, 0.7])
        cls()([-1, 1], [0.2, 0.7], sample_weight=[0, 1])
        with pytest.raises(ValueError, match="weights must not be negative, got -2"):
            cls()([0, 1], [0.2, 0.7], sample_weight=[1, -2])


def test_a_list_of_thresholds_gives_a_result_for_each_in_its_order():
    truth, p = [1, 1, 0, 0, 1], [0.9, 0.4, 0.8, 0.1, 0.6]
    metric = metrics.Recall(thresholds=[0.85, 0.3])
    result = metric(truth, p)
    np.testing.assert_allclose(result, [1 / 3, 1.0])
    assert metrics.Recall(thresholds=[0.3])(truth, p) == 1.0
    with pytest.raises(ValueError, match=r"Recall: thresholds must lie in \[0, 1\]"):
        metrics.Recall(thresholds=[0.3, 1.5])


def test_what_cannot_be_reached_is_0():
    assert metrics.PrecisionAtRecall(1.0, num_thresholds=3)([1, 0], [0.0, 0.9]) == 0.0
    with pytest.raises(ValueError, match="PrecisionAtRecall: the value to reach must lie in"):
        metrics.PrecisionAtRecall(1.5)
    with pytest.raises(ValueError, match="num_thresholds must be at least 1"):
        metrics.PrecisionAtRecall(0.5, num_thresholds=0)


def test_a_curve_for_each_label_needs_two_axes():
    with pytest.raises(ValueError, match=r"predictions \(N, labels\) are expected, got shape \(2,\)"):
        metrics.AUC(multi_label=True)([0, 1], [0.1, 0.2])
    assert metrics.AUC(multi_label=True).result() == 0.0


@pytest.mark.parametrize("wrong", [-1, 255, 0.5])
def test_scores_take_no_other_targets_either(wrong):
    with pytest.raises(ValueError, match=f"targets must be 0 or 1, got {wrong}"):
        metrics.F1Score()([[wrong, 1]], [[0.2, 0.8]])
