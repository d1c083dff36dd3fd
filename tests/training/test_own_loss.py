"""`compute_loss` and `compute_metrics` of a class of one's own, with the figures of Keras 3.15."""

import numpy as np
import pytest

from scratchnet import layers, metrics, ops
from scratchnet.models import Model
from scratchnet.training.own_loss import count_in

_rng = np.random.default_rng(0)
X, Y = _rng.normal(size=(24, 3)).astype("float32"), _rng.normal(size=(24, 2)).astype("float32")


def trained(model, *data, **options):
    """``(history, figures of evaluate, the first weights)``."""
    model.set_weights([np.cos(np.arange(w.size)).reshape(w.shape) / 2 for w in model.get_weights()])
    history = model.fit(*data, batch_size=8, epochs=2, shuffle=False, verbose=0, **options).history
    figures = model.evaluate(*data, batch_size=8, verbose=0, return_dict=True)
    return history, figures, np.asarray(model.get_weights()[0]).ravel()[:3]


def check(found, history, figures, weights):
    assert found[0] == {key: pytest.approx(values, abs=2e-5) for key, values in history.items()}
    assert found[1] == {key: pytest.approx(value, abs=2e-5) for key, value in figures.items()}
    np.testing.assert_allclose(found[2], weights, atol=2e-5)


def graph(cls, units=2, **options):
    inputs = layers.Input((3,))
    return cls(inputs, layers.Dense(units, **options)(inputs))


class Tracked(Model):
    """The example of Keras's documentation: everything by hand."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.loss_tracker = metrics.Mean(name="loss")

    def compute_loss(self, x, y, y_pred, sample_weight, training=True):
        loss = ops.mean((y_pred - y) ** 2)
        loss += ops.sum(self.losses)
        self.loss_tracker.update_state(loss)
        return loss

    @property
    def metrics(self):
        return [self.loss_tracker]


def test_everything_by_hand():
    model = graph(Tracked, kernel_regularizer="l2")
    model.compile("sgd")
    found = trained(model, X, Y.astype("float64"))
    check(found, {"loss": [1.33622, 1.31706]}, {"loss": 1.30201}, [0.4722, 0.25312, -0.20276])
    assert float(model.loss_tracker.result()) == pytest.approx(1.30201, abs=2e-5)


class Closer(Model):
    """What compile says, and a distance of sums; a model with `call`."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2, activation="tanh")

    def call(self, x):
        return self.dense(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = super().compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)
        return loss + 0.1 * ops.mean(ops.abs(ops.sum(x, axis=-1) - ops.sum(y_pred, axis=-1)))


def closer():
    model = Closer()
    model(X)
    model.compile("sgd", loss="mse", metrics=["mae"])
    return model


def test_what_compile_says_and_more():
    found = trained(closer(), X, Y, validation_data=(X, Y))
    history = {"loss": [1.26137, 1.25975], "mae": [0.89071, 0.89029]}
    history.update(val_loss=[1.25876, 1.25714], val_mae=[0.88983, 0.8894])
    check(found, history, {"loss": 1.25714, "mae": 0.8894}, [0.49812, 0.26646, -0.20621])


def test_weights_of_samples_reach_it():
    found = trained(closer(), X, Y, sample_weight=np.linspace(0, 1, 24))
    assert found[0]["loss"] == pytest.approx([0.65519, 0.65443], abs=2e-5)
    np.testing.assert_allclose(found[2], [0.50138, 0.2653, -0.20334], atol=2e-5)


class WithFigure(Model):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.size = metrics.Mean(name="size")

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        figures = super().compute_metrics(x, y, y_pred, sample_weight)
        self.size.update_state(ops.mean(ops.abs(x)))
        figures["size_again"] = self.size.result()
        return figures


def test_figures_of_one_s_own():
    model = graph(WithFigure)
    assert model.get_metrics_result() == {}
    model.compile("sgd", "mse", metrics=["mae"])
    check(
        trained(model, X, Y),
        {"loss": [1.32905, 1.3105], "mae": [0.94999, 0.94467], "size": [0.70668] * 2, "size_again": [0.76146] * 2},
        {"loss": 1.29583, "mae": 0.94081, "size": 0.70668, "size_again": 0.76146},
        [0.47277, 0.25343, -0.20301],
    )
    assert set(model.get_metrics_result()) == {"loss", "mae", "size"}
    assert set(model.train_on_batch(X, Y, return_dict=True)) == {"loss", "mae", "size", "size_again"}


def test_no_targets():
    class Autoencoder(Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            assert y is None and sample_weight is None
            return ops.mean(ops.square(x - y_pred))

    model = graph(Autoencoder, units=3)
    model.compile("sgd")
    check(
        trained(model, X), {"loss": [1.09245, 1.05276]}, {"loss": model.evaluate(X, verbose=0)}, *[trained(model, X)[2]]
    )


def test_several_outputs_and_weights_of_each():
    class Both(Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            sample_weight = sample_weight or {"a": 1.0, "b": 1.0}
            losses = [ops.mean(sample_weight[k] * ops.mean(ops.square(y[k] - y_pred[k]), -1)) for k in "ab"]
            return losses[0] + 2 * losses[1]

    def model(cls):
        inputs = layers.Input((3,))
        return cls(inputs, {name: layers.Dense(2, name=name)(inputs) for name in "ab"})

    weights, targets = {"a": np.linspace(0, 1, 24), "b": np.ones(24)}, {"a": Y, "b": 2 * Y}
    own, usual = model(Both), model(Model)
    own.compile("sgd")
    usual.compile("sgd", "mse", loss_weights={"a": 1.0, "b": 2.0})
    found, expected = (trained(m, X, targets, sample_weight=weights) for m in (own, usual))
    assert found[0]["loss"] == pytest.approx(expected[0]["loss"], rel=1e-5)
    np.testing.assert_allclose(found[2], expected[2], rtol=1e-5)


def test_an_output_that_it_does_not_read():
    class First(Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return ops.mean(ops.square(y[0] - y_pred[0]))

    inputs = layers.Input((3,))
    model = First(inputs, [layers.Dense(2)(inputs), layers.Dense(1, name="idle")(inputs)])
    before = model.get_layer("idle").get_weights()[0].copy()
    model.compile("sgd")
    model.fit(X, [Y, Y[:, :1]], verbose=0)
    np.testing.assert_array_equal(model.get_layer("idle").get_weights()[0], before)


@pytest.mark.parametrize("times", [0, 2])
def test_what_layers_add_is_taken_once(times):
    class Strange(Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return ops.mean(ops.square(y - y_pred)) + times * sum(self.losses)

    model = graph(Strange, kernel_regularizer="l2")
    model.compile("sgd")
    with pytest.raises(ValueError, match=f"which compute_loss takes {times} times: add"):
        model.fit(X, Y, verbose=0)


def test_what_is_refused():
    class Vector(Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return ops.mean(ops.square(y - y_pred), axis=-1)

    model = graph(Vector)
    model.compile("sgd")
    with pytest.raises(ValueError, match="compute_loss must return one number, it returned an array of shape"):
        model.fit(X, Y, verbose=0)
    with pytest.raises(ValueError, match="compute_loss needs a loss"):
        graph(Model).compute_loss(X, Y, Y)

    class Stepping(Model):
        def train_step(self, data):
            return {}

    with pytest.raises(TypeError, match="train_step"):
        graph(Stepping).compile("sgd", "mse")


def test_it_is_for_one_process():
    class Batch:
        division = "of ranks"

    with pytest.raises(ValueError, match="for one process"):
        count_in(graph(WithFigure), None, Batch(), None, 0.0)


def test_it_is_told_whether_the_model_is_trained():
    class Told(Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.told = metrics.Mean(name="told")

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            loss = ops.mean(ops.square(y - y_pred)) * (1.0 if training else 100.0)
            self.told.update_state(loss)
            return loss

    model, usual = graph(Told), graph(Model)
    model.compile("sgd")
    usual.compile("sgd", "mse")
    found, expected = (trained(m, X, Y, validation_data=(X, Y)) for m in (model, usual))
    assert found[0]["loss"] == pytest.approx(expected[0]["loss"], rel=1e-5)
    assert found[0]["val_loss"] == pytest.approx([100 * value for value in expected[0]["val_loss"]], rel=1e-5)
    assert found[1]["loss"] == pytest.approx(100 * expected[1]["loss"], rel=1e-5)
    for key, figures in (("told", found[1]), ("told", found[0]), ("val_told", found[0])):
        assert figures[key] == pytest.approx(figures[key.replace("told", "loss")], rel=1e-5)
    np.testing.assert_array_equal(found[2], expected[2])


def test_by_hand_it_is_a_number():
    model = closer()
    value = model.compute_loss(X, Y, model(X))
    assert value == pytest.approx(model.evaluate(X, Y, verbose=0)[0], rel=1e-5)
