"""What a metric is: how it accumulates, how weights count, how it is named and stored."""

import numpy as np
import pytest

from scratchnet import losses, metrics
from scratchnet.utils import clear_session

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


def test_weights_count_the_mean_of_what_they_cover():
    mean = metrics.Mean()
    mean.update_state([[1.0, 3.0], [5.0, 7.0]], sample_weight=[3.0, 1.0])
    assert mean.result() == pytest.approx((2 * 3 + 6) / 4)
    mean.reset_state()
    mean.update_state([1.0, 3.0], sample_weight=[[1.0], [0.0]])
    assert mean.result() == 1.0
    with pytest.raises(ValueError, match="weights of shape"):
        mean.update_state([1.0, 3.0], sample_weight=[1.0, 2.0, 3.0])


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
    with pytest.raises(ValueError, match="unknown metric 'Nothing'"):
        metrics.deserialize({"class_name": "Nothing"})
    with pytest.raises(TypeError, match="neither a name"):
        metrics.get(3)


def test_everything_the_module_lists_is_there():
    for name in metrics.__all__:
        assert hasattr(metrics, name)
    assert metrics.mean_squared_error is losses.mean_squared_error


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


def test_predictions_without_an_axis_beside_a_column_of_targets_are_one_of_each_sample():
    t, p, weights = np.array([[0.2], [0.5], [0.9]]), np.array([0.3, 0.8, 0.1]), [1.0, 2.0, 0.5]
    for cls in (metrics.MeanSquaredError, metrics.KLDivergence, metrics.BinaryAccuracy):
        assert cls()(t, p, weights) == cls()(t, p[:, None], weights)


def test_what_only_keras_has_is_refused_by_name():
    for name in ("F3Score", "mean_io_you"):
        with pytest.raises(ValueError, match=f"unknown metric '{name}'.*docs/keras.md"):
            metrics.get(name)
    with pytest.raises(AttributeError, match="has no 'nothing'"):
        _ = metrics.nothing
    with pytest.raises(ValueError, match="'precision' does not depend on shapes"):
        metrics.resolve_accuracy("precision", (4,), (4, 1))


def test_names_are_kerass():
    for name in metrics.__all__:
        cls = getattr(metrics, name)
        needs = name == "Metric" or name.endswith(
            ("Wrapper", "IoU", "AtSpecificity", "AtSensitivity", "AtRecall", "AtPrecision")
        )
        if isinstance(cls, type) and not needs:
            clear_session()
            name = cls().name
            clear_session()
            assert metrics.get(name).name == name
    clear_session()
    assert metrics.get("auc").name == "auc" and metrics.get("AUC").name == "auc_1"
    assert metrics.KLDivergence().name == "kl_divergence"

    class HowManyMore(metrics.Metric):
        pass

    assert [HowManyMore().name, HowManyMore().name] == ["how_many_more", "how_many_more_1"]
    assert HowManyMore.from_config(HowManyMore(name="many").get_config()).name == "many"
    assert [metrics.MeanSquaredError().name, metrics.MeanSquaredError().name] == ["mean_squared_error"] * 2
    with pytest.raises(NotImplementedError, match="HowManyMore defines no update_state"):
        HowManyMore().update_state([0], [0])
    with pytest.raises(NotImplementedError, match="HowManyMore defines no result"):
        HowManyMore().result()


def distance(y_true, y_pred, power=1):
    return np.abs(y_true - y_pred).mean(axis=-1) ** power


def test_functions_are_stored_by_name():
    wrapped = metrics.MeanMetricWrapper(distance, name="far", power=2)
    stored = metrics.serialize(wrapped)
    assert stored["config"]["fn"]["config"] == "distance" and stored["config"]["power"] == 2
    again = metrics.deserialize(stored, {"distance": distance})
    assert again.name == "far" and again([[0.0]], [[3.0]]) == 9.0
    assert metrics.MeanMetricWrapper(distance).name == "mean_metric_wrapper"
    assert metrics.serialize(metrics.binary_accuracy) == "binary_accuracy"
    assert metrics.deserialize("binary_accuracy") is metrics.binary_accuracy
    assert isinstance(metrics.deserialize("AUC"), metrics.AUC)
    with pytest.raises(ValueError, match="unknown class or function 'distance'.*custom_objects"):
        metrics.deserialize(stored)
    with pytest.raises(TypeError, match="cannot serialize 3"):
        metrics.serialize(3)
    assert metrics.get(losses.mean_squared_error).name == "mean_squared_error"


def test_a_result_that_is_an_array_stays_when_more_is_counted():
    class Sums(metrics.Metric):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.sums = self.add_variable((3,), "zeros", name="sums")
            self.plain = np.zeros(3)

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.sums.assign_add(np.sum(y_pred, axis=0))
            self.plain += np.sum(y_pred, axis=0)

        def result(self):
            return {"sums": self.sums, "plain": self.plain}

    metric = Sums()
    first = metric(LABELS, np.ones((4, 3)))
    metric.update_state(LABELS, np.ones((4, 3)))
    assert first["sums"].tolist() == first["plain"].tolist() == [4.0] * 3
