"""What metrics accept and refuse, how they accumulate, and how they are named and stored."""

import numpy as np
import pytest

from scratchnet import losses, metrics


def test_a_sample_counts_once_however_many_values_it_has():
    mean = metrics.Mean()
    mean.update_state([[1.0, 3.0], [5.0, 7.0]], sample_weight=[3.0, 1.0])
    mean.update_state([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert (mean.total, mean.count) == (19.0, 6.0)  # Keras's
    mean.reset_state()
    mean.update_state([[1.0, 3.0], [5.0, 7.0]], sample_weight=[[3.0, 0.0], [1.0, 2.0]])
    assert (mean.total, mean.count) == (11.0, 3.0)
    mean.reset_state()
    mean.update_state([[1.0, 3.0], [5.0, 7.0]], sample_weight=2.0)
    mean.update_state(4.0)
    assert (mean.total, mean.count) == (12.0, 3.0)


@pytest.mark.parametrize("shape", [(3,), (2, 2), (4, 3, 1, 1), (3, 4)])
def test_weights_that_do_not_match(shape):
    with pytest.raises(ValueError, match=r'metric "mean": weights of shape .* for values of shape \(4, 3\)'):
        metrics.Mean().update_state(np.zeros((4, 3)), np.ones(shape))
    for cls in (metrics.Precision, metrics.Recall, metrics.AUC):
        with pytest.raises(ValueError, match=r"weights of shape .* do not match predictions of shape \(4, 3\)"):
            cls().update_state(np.zeros((4, 3)), np.zeros((4, 3)), np.ones(shape))
    with pytest.raises(ValueError, match="weights of shape"):
        metric = metrics.SparseCategoricalCrossentropy(ignore_class=0)
        metric.update_state(np.ones((4, 3)), np.ones((4, 3, 2)), np.ones(shape))


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


def test_what_only_keras_has_is_refused_by_name():
    for name in ("F1Score", "mean_io_u", "Poisson", "poisson"):
        with pytest.raises(ValueError, match=f"'{name}'"):
            metrics.get(name)
    with pytest.raises(ValueError, match="Keras's metric 'TruePositives' is not implemented in scratchnet: known are"):
        metrics.get("TruePositives")
    with pytest.raises(AttributeError, match="Keras's metric F1Score is not implemented"):
        metrics.F1Score
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        metrics.nothing
    for argument in ("top_k", "class_id"):
        with pytest.raises(TypeError, match=f"Recall: Keras's {argument}=1 is not implemented"):
            metrics.Recall(**{argument: 1})
    with pytest.raises(ValueError, match="'precision' does not depend on shapes"):
        metrics.resolve_accuracy("precision", (4,), (4, 1))


def test_names_are_kerass():
    for name in metrics.__all__:
        cls = getattr(metrics, name)
        if isinstance(cls, type) and cls not in (metrics.Metric, metrics.MeanMetricWrapper):
            assert metrics.get(cls().name).name == cls().name
    assert metrics.get("auc").name == metrics.get("AUC").name == "auc"
    assert metrics.KLDivergence().name == "kl_divergence"

    class HowManyMore(metrics.Metric):
        pass

    assert HowManyMore().name == "how_many_more"
    with pytest.raises(NotImplementedError, match="HowManyMore defines no update_state"):
        HowManyMore().update_state([0], [0])
    with pytest.raises(NotImplementedError, match="HowManyMore defines no result"):
        HowManyMore().result()


def distance(y_true, y_pred, power=1):
    return np.abs(y_true - y_pred).mean(axis=-1) ** power


def test_functions_are_stored_by_name():
    wrapped = metrics.MeanMetricWrapper(distance, name="far", power=2)
    stored = metrics.serialize(wrapped)
    assert stored["config"] == {"fn": "distance", "name": "far", "dtype": None, "power": 2}
    again = metrics.deserialize(stored, {"distance": distance})
    assert again.name == "far" and again([[0.0]], [[3.0]]) == 9.0
    assert metrics.MeanMetricWrapper(distance).name == "mean_metric_wrapper"
    assert metrics.serialize(metrics.binary_accuracy) == "binary_accuracy"
    assert metrics.deserialize("binary_accuracy") is metrics.binary_accuracy
    assert isinstance(metrics.deserialize("AUC"), metrics.AUC)
    with pytest.raises(ValueError, match="unknown metric 'distance'.*custom_objects"):
        metrics.deserialize(stored)
    with pytest.raises(TypeError, match="cannot serialize 3"):
        metrics.serialize(3)
    assert metrics.get(losses.mean_squared_error).name == "mean_squared_error"
