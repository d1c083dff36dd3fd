"""Results of keras 3.15.1 on TensorFlow after two batches, without weights and with them."""

import copy
import pickle

import numpy as np
import pytest

from scratchnet import metrics

_rng = np.random.default_rng(21)
GIVEN = {
    "binary": (_rng.uniform(size=(6, 3)) > 0.5).astype("float32"),
    "probs": _rng.uniform(0, 1, (6, 3)).astype("float32").round(2),
    "onehot": np.eye(3, dtype="float32")[[0, 2, 1, 2, 0, 1]],
    "labels": np.array([0, 2, 1, 2, 0, 1]),
    "real": _rng.normal(size=(6, 3)).astype("float32"),
}
GIVEN["guess"] = (GIVEN["real"] + 0.5 * _rng.normal(size=(6, 3))).astype("float32")
GIVEN["counts"] = _rng.poisson(2.0, (6, 3)).astype("float32")
GIVEN["seg"], GIVEN["segp"] = _rng.integers(0, 4, (6, 3)), _rng.integers(0, 4, (6, 3))
GIVEN["ids"] = _rng.permuted(np.tile(np.arange(3), (6, 1)), axis=1)
WEIGHTS = np.array([1.0, 2.0, 0.0, 3.0, 0.5, 1.0])

# class, arguments, targets, predictions, the result without and with weights (None: Keras refuses them)
KERAS = [
    ("TruePositives", {}, "binary", "probs", 5.0, 5.0),
    ("FalsePositives", {"thresholds": 0.3}, "binary", "probs", 5.0, 7.0),
    ("TrueNegatives", {"thresholds": [0.8, 0.2]}, "binary", "probs", [7.0, 1.0], [7.5, 0.5]),
    ("FalseNegatives", {"thresholds": [0.2, 0.5, 0.8]}, "binary", "probs", [2.0, 6.0, 10.0], [5.0, 10.0, 14.0]),
    ("Precision", {"thresholds": [0.2, 0.7]}, "binary", "probs", [0.6, 1.0], [0.5882353, 1.0]),
    ("Recall", {"thresholds": [0.7, 0.2]}, "binary", "probs", [0.3636364, 0.8181818], [0.1333333, 0.6666667]),
    ("Precision", {"top_k": 2}, "binary", "probs", 0.6666667, 0.6),
    ("Recall", {"top_k": 1}, "binary", "probs", 0.3636364, 0.3),
    ("Precision", {"class_id": 1}, "binary", "probs", 0.0, 0.0),
    ("Recall", {"class_id": 2, "thresholds": 0.4}, "binary", "probs", 0.6, 0.2307692),
    ("Recall", {"class_id": 1, "top_k": 2}, "binary", "probs", 0.5, 0.6666667),
    ("Precision", {"top_k": 2, "thresholds": 0.5}, "binary", "probs", 0.7142857, 0.625),
    ("SensitivityAtSpecificity", {"specificity": 0.6}, "binary", "probs", 0.5454546, 0.6),
    ("SpecificityAtSensitivity", {"sensitivity": 0.6, "num_thresholds": 20}, "binary", "probs", 0.4285714, 0.2),
    ("PrecisionAtRecall", {"recall": 0.7}, "binary", "probs", 0.7272727, 0.6341463),
    ("RecallAtPrecision", {"precision": 0.6}, "binary", "probs", 0.8181818, 0.8666667),
    ("RecallAtPrecision", {"precision": 0.6, "class_id": 1, "num_thresholds": 1}, "binary", "probs", 0.0, 0.0),
    ("AUC", {"multi_label": True}, "binary", "probs", 0.575, 0.3530174),
    (
        "AUC",
        {"multi_label": True, "label_weights": [0.2, 0.3, 0.5], "curve": "PR"},
        "binary",
        "probs",
        0.711858,
        0.6885415,
    ),
    ("AUC", {"label_weights": [0.2, 0.3, 0.5]}, "binary", "probs", 0.5989012, 0.3826456),
    ("AUC", {"summation_method": "minoring"}, "binary", "probs", 0.6363636, 0.4444444),
    ("AUC", {"summation_method": "majoring", "curve": "PR"}, "binary", "probs", 0.8083497, 0.7255688),
    ("AUC", {"curve": "PRGAIN"}, "binary", "probs", 0.1237017, -0.2153846),
    (
        "AUC",
        {"multi_label": True, "num_labels": 3, "summation_method": "majoring"},
        "binary",
        "probs",
        0.575,
        0.3530174,
    ),
    ("F1Score", {}, "onehot", "probs", [0.6666666, 0.6666666, 0.0], [0.375, 0.9999998, 0.0]),
    ("F1Score", {"average": "micro", "threshold": 0.5}, "binary", "probs", 0.5555555, 0.4347826),
    ("FBetaScore", {"average": "macro", "beta": 2.0}, "onehot", "probs", 0.462963, 0.5333333),
    ("FBetaScore", {"average": "weighted", "beta": 0.5, "threshold": 0.3}, "binary", "probs", 0.7103502, 0.5777814),
    ("R2Score", {}, "real", "guess", 0.7523084, 0.7100114),
    (
        "R2Score",
        {"class_aggregation": None},
        "real",
        "guess",
        [0.7413475, 0.8201734, 0.6954042],
        [0.7537732, 0.8339835, 0.5422775],
    ),
    (
        "R2Score",
        {"class_aggregation": "variance_weighted_average", "num_regressors": 2},
        "real",
        "guess",
        0.7329258,
        0.7050527,
    ),
    ("IoU", {"num_classes": 4, "target_class_ids": [0, 2]}, "seg", "segp", 0.2166667, 0.1054767),
    ("MeanIoU", {"num_classes": 4, "ignore_class": 1}, "seg", "segp", 0.1468254, 0.074218),
    ("MeanIoU", {"num_classes": 5}, "seg", "segp", 0.1752976, 0.1174237),
    ("BinaryIoU", {"threshold": 0.4}, "binary", "probs", 0.4166667, 0.2698413),
    ("BinaryIoU", {"target_class_ids": [1]}, "binary", "probs", 0.4615384, 0.3333333),
    ("OneHotIoU", {"num_classes": 3, "target_class_ids": [0, 2]}, "onehot", "probs", 0.25, 0.1153846),
    ("OneHotMeanIoU", {"num_classes": 3}, "onehot", "probs", 0.3333333, 0.4102564),
    ("OneHotMeanIoU", {"num_classes": 3, "sparse_y_pred": True}, "onehot", "labels", 1.0, 1.0),
    ("PearsonCorrelation", {}, "real", "guess", 0.9506622, 0.9051594),
    ("ConcordanceCorrelation", {}, "real", "guess", 0.8746179, 0.8330543),
    ("ConcordanceCorrelation", {"axis": 0}, "real", "guess", 0.7945263, None),
    ("MeanAbsolutePercentageError", {}, "real", "guess", 77.4718094, 112.0488434),
    ("MeanSquaredLogarithmicError", {}, "counts", "probs", 0.8057901, 0.7189034),
    ("LogCoshError", {}, "real", "guess", 0.0677375, 0.0734089),
    ("Poisson", {}, "counts", "probs", 5.7557888, 7.5486603),
    ("Hinge", {}, "binary", "guess", 0.9614744, 0.769206),
    ("SquaredHinge", {}, "binary", "guess", 1.6043059, 1.1064641),
    ("CategoricalHinge", {}, "onehot", "guess", 0.5738943, 0.6542891),
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, "labels", "ids", 0.8333333, 1.0),
]
EVERY_METRIC = pytest.mark.parametrize(("name", "options", "t", "p", "plain", "weighted"), KERAS)


def weights_for(name, t, p):
    """Weights of samples; for the matrix of an IoU, those of every pixel, and integers, as Keras wants them there."""
    if "IoU" not in name:
        return WEIGHTS
    doubled = (2 * WEIGHTS).astype(int)
    return doubled if "OneHot" in name else np.repeat(doubled[:, None], p.shape[-1], axis=1)


@EVERY_METRIC
def test_results_are_keras_s(name, options, t, p, plain, weighted):
    t, p = GIVEN[t], GIVEN[p]
    for weights, expected in ((None, plain), (weights_for(name, t, p), weighted)):
        if expected is None:
            continue
        metric = getattr(metrics, name)(**options)
        for rows in (slice(0, 2), slice(2, 6)):
            metric.update_state(t[rows], p[rows], None if weights is None else weights[rows])
        np.testing.assert_allclose(metric.result(), expected, rtol=1e-6, atol=1e-7)
        np.testing.assert_array_equal(metric.result().numpy(), metric.result())
        assert metric.variables and all(not v.trainable for v in metric.variables)


@EVERY_METRIC
def test_copies_go_on_by_themselves_and_reset_forgets(name, options, t, p, plain, weighted):
    t, p = GIVEN[t], GIVEN[p]
    metric = getattr(metrics, name)(**options)
    metric.update_state(t, p)
    for again in (copy.deepcopy(metric), pickle.loads(pickle.dumps(metric))):
        before = again.result()
        metric.reset_state()
        assert all(not np.any(v.numpy()) for v in metric.variables)
        np.testing.assert_array_equal(again.result(), before)
        metric.update_state(t, p)
        np.testing.assert_array_equal(metric.result(), before)


@EVERY_METRIC
def test_configurations_make_the_same_metric_again(name, options, t, p, plain, weighted):
    metric = getattr(metrics, name)(**options)
    again = metrics.deserialize(metrics.serialize(metric))
    assert type(again) is type(metric) and again.get_config() == metric.get_config()
    assert again.get_config().items() >= {key: value for key, value in options.items()}.items()
