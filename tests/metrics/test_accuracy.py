"""Accuracies: by hand, the largest k, and what the shapes mean."""

import numpy as np
import pytest

from scratchnet import metrics

P = np.array([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3], [0.3, 0.3, 0.4], [0.2, 0.1, 0.7]])


LABELS = np.array([1, 1, 2, 0])


def test_accuracies_by_hand():
    assert metrics.CategoricalAccuracy()(np.eye(3)[LABELS], P) == 0.5
    assert metrics.SparseCategoricalAccuracy()(LABELS[:, None], P) == 0.5
    assert metrics.SparseTopKCategoricalAccuracy(k=2)(LABELS, P) == 0.75
    assert metrics.TopKCategoricalAccuracy(k=2)(np.eye(3)[LABELS], P) == 0.75
    assert metrics.BinaryAccuracy(threshold=0.3)([1, 0, 1, 0], [0.4, 0.4, 0.2, 0.1]) == 0.5
    assert metrics.Accuracy()([1, 2, 3], [1, 2, 4]) == pytest.approx(2 / 3)


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


@pytest.mark.parametrize("name", ["categorical_accuracy", "sparse_categorical_accuracy", "binary_accuracy"])
def test_shapes_that_do_not_match_are_refused(name):
    with pytest.raises(ValueError, match="of shape"):
        getattr(metrics, name)(np.ones((3, 2)), np.ones((4, 3)))


def test_the_largest_k():
    p = np.array([[0.4, 0.3, 0.3]], "float32")
    top = metrics.sparse_top_k_categorical_accuracy
    assert [top([label], p, 2)[0] for label in (0, 1, 2, 5, -1)] == [1, 1, 1, 0, 0]  # a tie is in, no class is out
    assert top([1], p, 1)[0] == 0
    assert top([0], [[0.9, np.nan, 0.1]], 2)[0] == 0
    assert top([[0, 1]], [[[0.9, 0.1], [0.9, 0.1]]], 1).tolist() == [[1, 0]]


@pytest.mark.parametrize("function", ["binary_accuracy", "categorical_accuracy", "top_k_categorical_accuracy"])
@pytest.mark.parametrize(("y_true", "y_pred"), [((4,), (4, 4)), ((4, 2, 3), (4, 3, 2)), ((4, 1), (4, 3))])
def test_shapes_never_broadcast(function, y_true, y_pred):
    with pytest.raises(ValueError) as told:
        getattr(metrics, function)(np.zeros(y_true), np.zeros(y_pred))
    assert function in str(told.value) and str(y_true) in str(told.value) and str(y_pred) in str(told.value)


def test_minus_one_is_no_class_to_binary_accuracy():
    with pytest.warns(UserWarning, match=r"-1 is no class; labels -1 and \+1 become"):
        assert metrics.BinaryAccuracy()([-1, 1], [0.2, 0.7]) == 0.5
    assert metrics.BinaryAccuracy(threshold=-1.5)([-1, 1], [0.2, 0.7]) == 0.5
