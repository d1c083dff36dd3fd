"""Losses as functions, and with `call`: gradients, weights, parts, files, refusals."""

import numpy as np
import pytest

from scratchnet import losses, ops
from scratchnet.gradient_check import check_loss
from scratchnet.gradient_check.catalogue.losses import cases
from scratchnet.layers import Dense, Input
from scratchnet.losses.function import LossFunctionWrapper
from scratchnet.models import Model, Sequential, load_model
from scratchnet.optimizers import SGD
from scratchnet.parallel import Workers
from scratchnet.training.step import run_step


def data(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def log_cosh(y_true, y_pred):
    return ops.mean(ops.log(ops.cosh(y_pred - y_true)), axis=-1)


def elementwise(y_true, y_pred):
    return ops.square(y_true - y_pred)


def correlation(y_true, y_pred):
    centred = y_pred - ops.mean(y_pred, axis=0)
    return 1 - ops.sum(centred * y_true) / ops.sqrt(ops.sum(centred**2) * ops.sum(y_true**2))


class Quantile(losses.Loss):
    def __init__(self, q=0.9, **kwargs):
        super().__init__(**kwargs)
        self.q = q

    def call(self, y_true, y_pred):
        e = y_true - y_pred
        return ops.mean(ops.maximum(self.q * e, (self.q - 1) * e), axis=-1)


@pytest.mark.parametrize("function", [log_cosh, elementwise, correlation])
@pytest.mark.parametrize("weights", [None, np.array([1.0, 0.5, 2.0, 0.0])])
def test_gradients_are_proved(function, weights):
    assert check_loss(LossFunctionWrapper(function), data(4, 3), data(4, 3, seed=1), weights).passed
    assert check_loss(Quantile(), data(4, 3), data(4, 3, seed=1), weights).passed


def test_the_value_is_that_of_the_library_s_own():
    y_true, y_pred, w = data(4, 3), data(4, 3, seed=1), np.array([1.0, 0.5, 2.0, 0.0])
    for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight"):
        ours, own = LossFunctionWrapper(log_cosh, reduction), losses.LogCosh(reduction)
        for weights in (None, w):
            a, b = ours.forward(y_true, y_pred, weights), own.forward(y_true, y_pred, weights)
            assert float(a[0]) == pytest.approx(float(b[0]))
            np.testing.assert_allclose(ours.backward(a[1]), own.backward(b[1]), rtol=1e-12)
    np.testing.assert_allclose(LossFunctionWrapper(log_cosh, None)(y_true, y_pred), losses.log_cosh(y_true, y_pred))


def test_one_number_for_the_batch_counts_with_the_mean_of_the_weights():
    y_true, y_pred = data(4, 3), data(4, 3, seed=1)
    loss, w = LossFunctionWrapper(correlation), np.array([1.0, 2.0, 3.0, 4.0])
    assert float(loss(y_true, y_pred, w)) == pytest.approx(2.5 * float(loss(y_true, y_pred)))


def test_only_what_looks_at_single_samples_or_at_sums_of_all_is_computed_in_parts():
    y_true, y_pred = data(4, 3), data(4, 3, seed=1)
    assert not LossFunctionWrapper(log_cosh).in_one_part(y_true, y_pred)
    assert not LossFunctionWrapper(correlation).in_one_part(y_true, y_pred)
    assert LossFunctionWrapper(lambda t, p: ops.max(ops.abs(t - p))).in_one_part(y_true, y_pred)


def test_labels_and_predictions_of_another_rank():
    def error(y_true, y_pred):
        assert y_true.shape == y_pred.shape == (None, 1)
        return ops.abs(y_true - y_pred)

    loss = LossFunctionWrapper(error)
    assert float(loss(np.array([1, 0, 1]), np.array([[0.5], [0.0], [2.0]]))) == pytest.approx(0.5)

    def sparse(y_true, y_pred):
        return -ops.log(ops.sum(ops.one_hot(ops.cast(y_true, "int32"), 3) * y_pred, axis=-1))

    p = np.full((2, 3), 1 / 3)
    assert float(LossFunctionWrapper(sparse)(np.array([0, 2]), p)) == pytest.approx(np.log(3))


def models_step(model, loss, parts, weights=None):
    x, y = data(40, 4).astype("float32"), data(40, 2, seed=1).astype("float32")
    model.compile("sgd", loss)
    data_set, _ = model._data_sets(x, y, weights)
    with Workers(parts) as workers:
        results = run_step(model._objective, data_set.batch(slice(None)), 0, workers)
    grads = {key: sum(part.grads[key] for part in results) for key in model.trainable_params}
    return len(results), sum(part.values[0] for part in results), grads


@pytest.mark.parametrize("loss", [log_cosh, elementwise, correlation, Quantile(reduction="mean_with_sample_weight")])
@pytest.mark.parametrize("weighted", [False, True])
def test_parts_add_up(loss, weighted):
    model = Sequential([Input((4,)), Dense(2)])
    weights = np.random.default_rng(5).uniform(0, 2, 40) if weighted else None
    _, value, grads = models_step(model, loss, 1, weights)
    count, other, other_grads = models_step(model, loss, 2, weights)
    assert count == 2 and other == pytest.approx(value, rel=1e-6)
    for key, d in grads.items():
        np.testing.assert_allclose(other_grads[key], d, rtol=1e-4, atol=1e-7)


def test_class_weights_and_masks_go_through():
    from scratchnet.layers import Masking

    x = data(6, 3, 2)
    x[:, 2] = 0
    model = Sequential([Input((3, 2)), Masking(), Dense(1)])
    model.compile("sgd", lambda y_true, y_pred: ops.mean(ops.square(y_true - y_pred), axis=-1))
    y = data(6, 3, 1, seed=1)
    expected = np.mean(np.square(y - model.predict(x, verbose=0))[:, :2])
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-5)
    classifier = Sequential([Input((2,)), Dense(1, activation="sigmoid")])
    classifier.compile("sgd", lambda y_true, y_pred: ops.nn.binary_crossentropy(y_true, y_pred))
    labels = np.array([0, 1, 0, 1])
    classifier.fit(data(4, 2), labels, class_weight={0: 1.0, 1: 3.0}, verbose=0)


def test_an_attribute_that_changes_is_seen():
    loss, y = Quantile(), np.zeros((1, 1))
    assert float(loss(y + 1, y)) == pytest.approx(0.9)
    loss.q = 0.5
    assert float(loss(y + 1, y)) == pytest.approx(0.5)


def test_functions_and_classes_are_saved(tmp_path):
    for loss in (log_cosh, Quantile(0.3)):
        model = Sequential([Input((4,)), Dense(2)])
        model.compile("sgd", loss)
        model.fit(data(8, 4), data(8, 2), verbose=0)
        model.save(tmp_path / "m.npz")
        again = load_model(tmp_path / "m.npz", {"log_cosh": log_cosh, "Quantile": Quantile})
        x, y = data(8, 4, seed=2), data(8, 2, seed=3)
        assert again.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)


def test_a_frozen_model_may_be_part_of_a_loss():
    features = Sequential([Input((2,)), Dense(3, activation="tanh")])
    loss = LossFunctionWrapper(lambda y_true, y_pred: ops.sum((features(y_true) - features(y_pred)) ** 2, axis=-1))
    with pytest.raises(ValueError, match="the loss uses the parameters of .*freeze them"):
        loss(data(3, 2), data(3, 2, seed=1))
    features.trainable = False
    y_true, y_pred = data(3, 2).astype("float32"), data(3, 2, seed=1).astype("float32")
    value, cache = loss.forward(y_true, y_pred)
    assert value > 0 and np.abs(loss.backward(cache)).max() > 0


@pytest.mark.parametrize(
    "function, message",
    [
        (lambda y_true, y_pred: ops.mean(y_true), "the loss does not depend on y_pred"),
        (lambda y_true, y_pred: ops.cast(y_pred > y_true, "float32"), "does not depend on y_pred"),
        (lambda y_true, y_pred: np.mean(y_pred), "np.mean cannot be traced"),
        (lambda y_true, y_pred: None, "call returned nothing"),
        (lambda y_true, y_pred: 0.0, "call returned no tensor, but 0.0"),
        (lambda y_true, y_pred: (y_pred, y_pred), "the loss must be one tensor, got 2"),
    ],
)
def test_what_is_no_loss_is_refused_before_training(function, message):
    model = Model(x := Input((2,)), Dense(2)(x))
    model.compile("sgd", function)
    with pytest.raises((TypeError, ValueError), match=message):
        model.fit(data(4, 2), data(4, 2), verbose=0)


def twice(base):
    """A loss derived from one of the library, as Keras programs do it."""

    class Twice(base):
        def call(self, y_true, y_pred):
            return 2 * super().call(y_true, y_pred)

    return Twice


DERIVED = [case for case in cases(np.random.default_rng(0)) if not isinstance(case[0], losses.Circle)]


@pytest.mark.parametrize(("loss", "y_true", "y_pred"), DERIVED, ids=[repr(case[0]) for case in DERIVED])
def test_super_call_is_the_loss_that_is_derived_from(loss, y_true, y_pred):
    derived = twice(type(loss)).from_config(loss.get_config())
    values = loss.call(y_true, y_pred)
    np.testing.assert_allclose(values, type(loss).from_config({**loss.get_config(), "reduction": None})(y_true, y_pred))
    np.testing.assert_allclose(derived.call(y_true, y_pred), 2 * values, rtol=1e-12)
    assert derived(y_true, y_pred) == pytest.approx(2 * values.mean(), rel=1e-6)  # those ignored are 0, as in Keras
    weights = np.arange(1.0, 6.0)
    check_loss(derived, y_true, y_pred, weights).raise_if_failed()


def test_a_loss_derived_from_one_across_samples():
    (loss, labels, unit), *_ = [case for case in cases(np.random.default_rng(0)) if isinstance(case[0], losses.Circle)]
    derived = twice(losses.Circle)(gamma=2.0)
    np.testing.assert_allclose(derived.call(labels, unit), 2 * loss.call(labels, unit))
    assert derived(labels, unit) == pytest.approx(2 * loss(labels, unit))
    check_loss(derived, labels, unit).raise_if_failed()
    lonely = np.array([0, 1, 1, 1, 1])
    assert derived(lonely, unit) == pytest.approx(2 * loss.call(lonely, unit).mean())
    assert np.isfinite(derived.backward(derived.forward(lonely, unit)[1])).all()


def test_a_derived_loss_of_the_same_name_as_its_base():
    class Hinge(losses.SquaredHinge):
        def call(self, y_true, y_pred):
            return super().call(y_true, y_pred)

    y_true, y_pred = np.array([[1.0, -1.0]]), np.array([[0.5, 3.0]])
    assert Hinge()(y_true, y_pred) == losses.SquaredHinge()(y_true, y_pred)
    x, y = Input((2,), dtype="float64"), Input((2,), dtype="float64")
    model = Model([y, x], Hinge(reduction=None)(y, x))
    np.testing.assert_allclose(model.forward([y_true, y_pred])[0], losses.squared_hinge(y_true, y_pred))


def test_a_derived_loss_trains_like_its_base_at_twice_the_rate():
    x, y = data(64, 3), (data(64, 1, seed=1) > 0).astype(float)
    found = []
    for loss, rate in ((losses.BinaryCrossentropy(), 0.2), (twice(losses.BinaryCrossentropy)(), 0.1)):
        model = Sequential([Input((3,)), Dense(1, "sigmoid", kernel_initializer="ones")])
        model.compile(SGD(rate), loss)
        history = model.fit(x, y, epochs=2, batch_size=16, shuffle=False, verbose=0).history["loss"]
        found.append((np.array(history) / (0.2 / rate), model.get_weights()[0]))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-5)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-5)
