"""Metrics against numbers from Keras 3.15.1 on TensorFlow 2.21, gathered over two batches."""

import numpy as np
import pytest

from scratchnet import metrics

SOFT = np.array([[[1, 0], [0.25, 0.75]], [[0.5, 0.5], [0, 1]], [[0.125, 0.875], [1, 1]]], "float32")
PROBABLE = np.array(
    [[[0.8, 0.3], [0.1, 0.6]], [[0.5, 0.9], [0, 0.7]], [[0.4, 1], [0.2, 0.05]]], "float32"
)  # some are cut
LOGITS = PROBABLE * 8 - 4
LABELS = np.array([[0, 1], [1, 0], [1, 1]])
ONE_HOT = np.eye(2, dtype="float32")[LABELS]
WEIGHTS = np.array([[1, 2], [0.5, 0], [3, 1.5]], "float32")

# The result without weights, with one for each value, and with one for each sample.
EXPECTED = [
    ("MeanSquaredError", {}, SOFT, PROBABLE, [0.1715625, 0.1804688, 0.2889583]),
    ("MeanAbsoluteError", {}, SOFT, PROBABLE, [0.3041667, 0.3203125, 0.4222222]),
    ("BinaryCrossentropy", {}, SOFT, PROBABLE, [0.938329, 1.164548, 1.358445]),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, SOFT, PROBABLE, [1.17525, 1.384066, 1.557379]),
    ("BinaryCrossentropy", {"from_logits": True}, SOFT, LOGITS, [0.9433322, 1.024865, 1.347695]),
    ("CategoricalCrossentropy", {}, ONE_HOT, PROBABLE, [3.163074, 0.5339056, 1.621144]),
    ("CategoricalCrossentropy", {"label_smoothing": 0.2}, ONE_HOT, PROBABLE, [2.942612, 0.6030015, 1.550005]),
    ("CategoricalCrossentropy", {"from_logits": True}, ONE_HOT, LOGITS, [1.191904, 0.2867422, 0.8080618]),
    ("SparseCategoricalCrossentropy", {}, LABELS, PROBABLE, [3.103628, 0.5339056, 1.601329]),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS, LOGITS, [1.191904, 0.2867422, 0.8080618]),
    ("SparseCategoricalCrossentropy", {"ignore_class": 0}, LABELS, PROBABLE, [0.423649, 0.5646845, 0.828373]),
    ("KLDivergence", {}, SOFT, PROBABLE, [0.8375484, 0.8737637, 1.519975]),
    ("CosineSimilarity", {}, SOFT, PROBABLE, [0.9524629, 0.9492325, 0.9324818]),
    ("RootMeanSquaredError", {}, SOFT, PROBABLE, [0.414201, 0.4248161, 0.5375485]),
    ("BinaryAccuracy", {"threshold": 0.3}, ONE_HOT, PROBABLE, [0.5833333, 0.6875, 0.5833333]),
    ("CategoricalAccuracy", {}, ONE_HOT, PROBABLE, [0.6666667, 0.8125, 0.6111111]),
    ("SparseCategoricalAccuracy", {}, LABELS, PROBABLE, [0.6666667, 0.8125, 0.6111111]),
    ("TopKCategoricalAccuracy", {"k": 1}, ONE_HOT, PROBABLE, [0.6666667, 0.8125, 0.6111111]),
    ("SparseTopKCategoricalAccuracy", {"k": 1}, LABELS, PROBABLE, [0.6666667, 0.8125, 0.6111111]),
    ("Precision", {}, ONE_HOT, PROBABLE, [0.8, 1.0, 0.9166667]),
    ("Recall", {"thresholds": 0.3}, ONE_HOT, PROBABLE, [0.6666667, 0.8125, 0.6111111]),
    ("AUC", {}, ONE_HOT, PROBABLE, [0.6388889, 0.8125, 0.6049383]),
    ("AUC", {"curve": "PR"}, ONE_HOT, PROBABLE, [0.7804878, 0.9015599, 0.7736479]),
    ("AUC", {"num_thresholds": 5}, ONE_HOT, PROBABLE, [0.7083333, 0.8535156, 0.6944444]),
    ("AUC", {"curve": "PR", "thresholds": [0.7, 0.2]}, ONE_HOT, PROBABLE, [0.7784663, 0.8477358, 0.7756089]),
    ("AUC", {"from_logits": True}, ONE_HOT, LOGITS, [0.6388889, 0.8125, 0.6049383]),
]


@pytest.mark.parametrize(("name", "options", "y_true", "y_pred", "results"), EXPECTED)
def test_results_are_kerass(name, options, y_true, y_pred, results):
    for weights, expected in zip((None, WEIGHTS, WEIGHTS[:, :1]), results):
        metric = getattr(metrics, name)(**options)
        for rows in (slice(0, 1), slice(1, 3)):
            metric.update_state(y_true[rows], y_pred[rows], None if weights is None else weights[rows])
        assert metric.result() == pytest.approx(expected, rel=2e-6)
        assert isinstance(metric.result(), float)
        metric.reset_state()
        assert metric.result() == 0.0
    again = metrics.get(metrics.serialize(metric))
    assert type(again) is type(metric) and again.get_config() == metric.get_config()
