"""Metrics of one's own: with variables as in Keras, with plain attributes, as functions; and results in a fit."""

import numpy as np
import pytest

from scratchnet import metrics
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential, load_model


class Largest(metrics.Metric):
    def __init__(self, name="largest", **kwargs):
        super().__init__(name=name, **kwargs)
        self.largest = self.add_weight(name="largest", initializer="zeros")
        self.seen = self.add_variable((2,), "ones", dtype="int32", name="seen")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.largest.assign(max(self.largest, np.max(y_pred)))
        self.seen.assign_add([1, 2])

    def result(self):
        return self.largest


class Plain(metrics.Metric):
    def __init__(self, factor):
        self.f = factor
        super().__init__(name="plain")

    def reset_state(self):
        self.n = 0

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.n += len(y_true)

    def result(self):
        return {"rows": self.n * self.f, "twice": 2 * self.n}


class Inner(metrics.Metric):
    def __init__(self):
        super().__init__()
        self.mean = metrics.Mean()

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.mean.update_state(y_pred, sample_weight)

    def result(self):
        return self.mean.result()


def test_variables_are_set_read_and_forgotten():
    metric = Largest()
    assert [v.name for v in metric.variables] == ["largest", "seen"] and metric.seen.numpy().tolist() == [1, 1]
    assert metric(None, [1.0, 3.0]) == 3.0 and metric.seen.numpy().tolist() == [2, 3] and metric.seen.dtype == np.int32
    assert metric.result().numpy() == 3.0 and f"{metric.result():.2f}" == "3.00"
    metric.reset_state()
    assert metric.result() == 0 and not metric.seen.numpy().any()
    assert metric.add_weight("total").name == "total" and metric.add_weight(name="n", shape=3).shape == (3,)
    counted = metric.add_variable((2, 2), np.array([[1, 2], [3, 4]]), dtype="int")
    assert counted.numpy().tolist() == [[1, 2], [3, 4]]


def test_a_metric_within_a_metric_is_forgotten_with_it():
    metric = Inner()
    metric.update_state(None, [1.0, 3.0])
    assert metric.result() == 2.0 and len(metric.variables) == 2
    metric.reset_state()
    assert metric.result() == 0.0


def test_the_order_is_dtype_and_name():
    metric = metrics.Metric("float32", "foo")
    assert (metric.dtype, metric.name) == ("float32", "foo")
    with pytest.raises(ValueError, match=r"Metric: there is no dtype 'foo'; the order is Metric\(dtype, name\)"):
        metrics.Metric("foo")


def model_and_data():
    model = Sequential([Input((2,)), Dense(3, activation="softmax")])
    rng = np.random.default_rng(0)
    return model, rng.normal(size=(12, 2)), np.eye(3)[rng.integers(0, 3, 12)]


def test_arrays_and_dicts_in_a_fit(tmp_path):
    model, x, y = model_and_data()
    given = [Largest(), Plain(3), metrics.F1Score(), metrics.Precision([0.2, 0.4], name="precision")]
    model.compile("sgd", "categorical_crossentropy", metrics=given)
    history = model.fit(x, y, epochs=2, verbose=0, batch_size=5).history
    assert history["rows"] == [36, 36] and history["twice"] == [24, 24]
    assert history["f1_score"][0].shape == (3,) and history["precision"][1].shape == (2,)
    assert 0 < history["largest"][0] <= 1
    model.save(tmp_path / "m.npz")
    again = load_model(tmp_path / "m.npz", {"Largest": Largest, "Plain": Plain})
    assert again.evaluate(x, y, verbose=0, return_dict=True)["rows"] == 36


def test_targets_get_the_shape_of_the_predictions():
    def error(y_true, y_pred):
        return np.abs(y_true - y_pred)

    for t, p in (([1.0, 2.0], [[1.0], [4.0]]), ([[1.0], [2.0]], [1.0, 4.0])):
        assert metrics.get(error)(t, p) == 1.0


def test_sum():
    metric = metrics.Sum()
    metric.update_state([1.0, 2.0])
    metric.update_state([[1.0, 2.0], [3.0, 4.0]], sample_weight=[1.0, 0.0])
    assert metric.result() == 6.0
    with pytest.raises(ValueError, match='metric "sum": weights of shape'):
        metric.update_state([1.0, 2.0], [1.0, 2.0, 3.0])


def test_without_state():
    mean = metrics.Mean()
    mean.update_state([1.0, 3.0])
    assert mean.stateless_update_state([10.0, 4.0], [2.0, 4.0]) == [16.0, 6.0]
    assert mean.stateless_result([12.0, 3.0]) == 4.0 and mean.stateless_reset_state() == [0.0, 0.0]
    assert mean.result() == 2.0
    with pytest.raises(ValueError, match='Mean "mean": expected the values of 2 variables, got 1'):
        mean.stateless_result([1.0])
