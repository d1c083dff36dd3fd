"""Metrics: figures by hand, over several batches, weighted, and by every name."""

import numpy as np
import pytest

from scratchnet import losses, metrics

P = np.array([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3], [0.3, 0.3, 0.4], [0.2, 0.1, 0.7]])
LABELS = np.array([1, 1, 2, 0])


def test_batches_add_up_and_reset_forgets():
    metric = metrics.SparseCategoricalAccuracy()
    assert metric.result() == 0.0
    metric.update_state(LABELS[:1], P[:1])
    metric.update_state(LABELS[1:], P[1:])
    assert metric.result() == 0.5
    assert repr(metric) == "<SparseCategoricalAccuracy sparse_categorical_accuracy=0.5>"
    metric.reset_state()
    assert metric(LABELS[:1], P[:1]) == 1.0


def test_accuracies_by_hand():
    assert metrics.CategoricalAccuracy()(np.eye(3)[LABELS], P) == 0.5
    assert metrics.SparseCategoricalAccuracy()(LABELS[:, None], P) == 0.5
    assert metrics.SparseTopKCategoricalAccuracy(k=2)(LABELS, P) == 0.75
    assert metrics.TopKCategoricalAccuracy(k=2)(np.eye(3)[LABELS], P) == 0.75
    assert metrics.BinaryAccuracy(threshold=0.3)([1, 0, 1, 0], [0.4, 0.4, 0.2, 0.1]) == 0.5
    assert metrics.Accuracy()([1, 2, 3], [1, 2, 4]) == pytest.approx(2 / 3)


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


def test_weights_count_the_mean_of_what_they_cover():
    mean = metrics.Mean()
    mean.update_state([[1.0, 3.0], [5.0, 7.0]], sample_weight=[3.0, 1.0])
    assert mean.result() == pytest.approx((2 * 3 + 6) / 4)
    mean.reset_state()
    mean.update_state([1.0, 3.0], sample_weight=[[1.0], [0.0]])
    assert mean.result() == 1.0
    with pytest.raises(ValueError, match="weights of shape"):
        mean.update_state([1.0, 3.0], sample_weight=[1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("y_true", "y_pred", "cls"),
    [
        ((4,), (4, 1), "BinaryAccuracy"),
        ((4, 1), (4, 1), "BinaryAccuracy"),
        ((4,), (4, 3), "SparseCategoricalAccuracy"),
        ((4, 1), (4, 3), "SparseCategoricalAccuracy"),
        ((4, 3), (4, 3), "CategoricalAccuracy"),
        ((4, 5), (4, 5, 3), "SparseCategoricalAccuracy"),
    ],
)
def test_accuracy_means_what_the_shapes_say(y_true, y_pred, cls):
    for name in ("accuracy", "acc"):
        metric = metrics.resolve_accuracy(name, y_true, y_pred)
        assert type(metric).__name__ == cls and metric.name == name
    crossentropy = metrics.resolve_accuracy("ce", y_true, y_pred)
    assert type(crossentropy).__name__ == cls.replace("Accuracy", "Crossentropy")


def test_every_way_to_name_a_metric():
    for identifier in (
        "mse",
        "mean_squared_error",
        "MeanSquaredError",
        metrics.MeanSquaredError,
        metrics.MeanSquaredError(),
    ):
        assert isinstance(metrics.get(identifier), metrics.MeanSquaredError)
    top = metrics.TopKCategoricalAccuracy(k=2, name="top")
    again = metrics.get(metrics.serialize(top))
    assert (again.k, again.name) == (2, "top")

    def largest(y_true, y_pred):
        return y_pred.max(axis=-1)

    metric = metrics.get(largest)
    assert metric.name == "largest" and metric(LABELS, P) == pytest.approx(P.max(axis=1).mean())
    assert metrics.get(losses.Huber(0.5))(np.zeros((1, 1)), np.ones((1, 1))) == pytest.approx(0.375)
    with pytest.raises(ValueError, match="unknown metric 'nothing'"):
        metrics.get("nothing")
    with pytest.raises(ValueError, match="unknown metric class"):
        metrics.deserialize({"class_name": "Nothing"})
    with pytest.raises(TypeError, match="neither a name"):
        metrics.get(3)


@pytest.mark.parametrize("name", ["categorical_accuracy", "sparse_categorical_accuracy", "binary_accuracy"])
def test_shapes_that_do_not_match_are_refused(name):
    with pytest.raises(ValueError, match="of shape"):
        getattr(metrics, name)(np.ones((3, 2)), np.ones((4, 3)))


def test_everything_the_module_lists_is_there():
    for name in metrics.__all__:
        assert hasattr(metrics, name)
    assert metrics.mean_squared_error is losses.mean_squared_error
