"""The figures of an epoch: none is lost, whatever two of them are called."""

import numpy as np
import pytest

from scratchnet import metrics
from scratchnet.layers import Dense, Input
from scratchnet.models import Model, Sequential

X, Y = np.ones((4, 2), "float32"), np.zeros((4, 1))


def figures(**settings):
    model = Sequential([Input((2,)), Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse", **settings)
    return model.evaluate(X, Y, verbose=0, return_dict=True)


def test_equal_names_are_numbered_and_weighted_ones_say_so():
    assert list(figures(metrics=["mae", "mae"])) == ["loss", "mae", "mae_1"]
    assert list(figures(metrics=["mae"], weighted_metrics=["mae"])) == ["loss", "mae", "weighted_mae"]
    assert list(figures(weighted_metrics=["mae"])) == ["loss", "mae"]


def test_a_metric_called_loss_does_not_replace_the_loss():
    def loss(y_true, y_pred):
        return np.full(len(y_true), 7.0)

    found = figures(metrics=[loss])
    assert found["loss"] == pytest.approx(4) and found["loss_1"] == 7


def test_one_object_for_two_outputs_counts_for_each():
    x = Input((2,))
    model = Model(
        x, [Dense(1, name="a", kernel_initializer="ones")(x), Dense(1, name="b", kernel_initializer="zeros")(x)]
    )
    metric = metrics.MeanAbsoluteError(name="mae")
    metric.update_state([0], [50])  # what it counted before is forgotten
    model.compile("sgd", "mse", metrics=[[metric], [metric]])
    found = model.evaluate(X, [Y, Y], verbose=0, return_dict=True)
    assert found["a_mae"] == 2 and found["b_mae"] == 0


def test_a_metric_of_one_class_is_one_number_in_the_logs():
    model = Sequential([Input((2,)), Dense(1, activation="sigmoid")])
    model.compile("sgd", "mse", metrics=[metrics.F1Score(threshold=0.5, name="f1")])
    history = model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0).history
    assert isinstance(history["f1"][0], float)


def test_a_metric_of_one_s_own_sees_targets_in_the_shape_of_the_predictions():
    class LargestError(metrics.Metric):
        def __init__(self):
            super().__init__(name="largest")
            self.value = self.add_variable((), "zeros", name="value")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.value.assign(np.max(np.abs(y_true - y_pred)))

        def result(self):
            return self.value.value

    model = Sequential([Input((1,)), Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=[LargestError()])
    x = np.array([[1.0], [5.0]])
    for y in (x[:, 0] + 1, x + 1, x[..., None] + 1):
        assert model.evaluate(x, y, verbose=0)[1] == 1  # not that of 1 and 6
