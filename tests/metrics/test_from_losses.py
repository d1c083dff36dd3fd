"""Metrics made of losses: means of their values."""

import numpy as np
import pytest

from scratchnet import losses, metrics


def test_metrics_of_losses_are_means_of_their_values():
    y_true, y_pred = np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([[1.0, 1.0], [1.0, 3.0]])
    assert metrics.MeanSquaredError()(y_true, y_pred) == pytest.approx(1.25)
    assert metrics.RootMeanSquaredError()(y_true, y_pred) == pytest.approx(np.sqrt(1.25))
    assert metrics.MeanAbsoluteError()(y_true, y_pred) == pytest.approx(0.75)
    assert metrics.CosineSimilarity()([[1.0, 0.0]], [[2.0, 0.0]]) == pytest.approx(1.0)  # the loss is -1
    for name in ("BinaryCrossentropy", "CategoricalCrossentropy", "KLDivergence"):
        p = np.array([[0.3, 0.7]])
        assert getattr(metrics, name)()([[0.0, 1.0]], p) == pytest.approx(
            float(getattr(losses, name)()([[0.0, 1.0]], p))
        )
    assert metrics.SparseCategoricalCrossentropy()([1], [[0.3, 0.7]]) == pytest.approx(-np.log(0.7))


def test_ignored_labels_count_as_zero_without_weights_and_not_at_all_with():
    y_true, y_pred = np.array([0, 1, 2, 0]), np.tile([0.2, 0.3, 0.5], (4, 1))
    for weights, total, count in ((None, 1.89712, 4), (np.array([1.0, 2, 3, 4]), 4.487387, 5)):
        metric = metrics.SparseCategoricalCrossentropy(ignore_class=0)
        metric.update_state(y_true, y_pred, weights)
        assert (metric.total, metric.count) == (pytest.approx(total, rel=1e-5), count)


def test_weights_of_single_errors():
    metric = metrics.RootMeanSquaredError()
    metric.update_state([[0.0, 0.0]], [[2.0, 5.0]], sample_weight=[[3.0, 1.0]])
    assert metric.result() == pytest.approx(np.sqrt((12 + 25) / 4))
    metric.reset_state()
    metric.update_state([0.0, 0.0], [[2.0], [4.0]])
    assert metric.result() == pytest.approx(np.sqrt(10))
