"""Losses and metrics of a training: weights of samples and classes, accuracy by shapes, and their names."""

import numpy as np
import pytest

import scratchnet
from scratchnet import losses, metrics, ops
from scratchnet.layers import Dense, Embedding, Input
from scratchnet.models import Model, Sequential
from scratchnet.utils import set_random_seed


@pytest.fixture(autouse=True)
def default_threads():
    yield
    scratchnet.set_num_threads(None)


def classifier(*, seed=0, extra=(), loss="sparse_categorical_crossentropy", optimizer="adam"):
    set_random_seed(seed)
    model = Sequential([Input((5,)), Dense(8, activation="tanh"), *extra, Dense(3, activation="softmax")])
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def data(count=90, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, count)
    return (rng.normal(size=(count, 5)) + y[:, None]).astype("float32"), y


def test_an_objective_holds_until_something_changes():
    model, (x, y) = classifier(), data()

    def fit():
        model.fit(x, y, verbose=0)
        return model._objective

    first = fit()
    assert fit() is first
    model.evaluate(x, y, verbose=0)
    assert model._objective is first
    for change in (
        lambda: setattr(model.layers[-1], "activation", "linear"),
        lambda: setattr(model.layers[0], "trainable", False),
        lambda: setattr(model, "loss", losses.SparseCategoricalCrossentropy(from_logits=True)),
    ):
        before = model._objective
        change()
        assert not before.still_holds
        assert fit() is not before


def test_with_a_loss_or_a_model_that_may_change_unseen_it_is_made_anew():
    x, y = data()
    by_object = classifier(loss=losses.SparseCategoricalCrossentropy())

    class Twice(Model):
        def __init__(self):
            super().__init__()
            self.dense = Dense(3)

        def call(self, x):
            return 2 * self.dense(x)

    with_call = Twice()
    with_call.compile("sgd", "mse")
    for model, targets in ((by_object, y), (with_call, np.eye(3)[y])):
        model.fit(x, targets, verbose=0)
        first = model._objective
        model.fit(x, targets, verbose=0)
        assert model._objective is not first


def test_sample_weights_and_class_weights_mean_the_same():
    x, y = data()
    weights = {0: 1.0, 1: 5.0, 2: 0.5}
    one, two = classifier(), classifier()
    one.fit(x, y, class_weight=weights, epochs=2, shuffle=False, verbose=0)
    two.fit(x, y, sample_weight=np.array([weights[label] for label in y]), epochs=2, shuffle=False, verbose=0)
    for a, b in zip(one.get_weights(), two.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_labels_in_a_column_and_one_hot_targets_resolve_accuracy_by_their_shapes():
    x, y = data()
    for targets, loss in ((y[:, None], "sparse_categorical_crossentropy"), (np.eye(3)[y], "categorical_crossentropy")):
        model = classifier(loss=loss)
        accuracy = model.evaluate(x, targets, verbose=0)[1]
        assert accuracy == pytest.approx(np.mean(model.predict(x, verbose=0).argmax(axis=1) == y))
    binary = Sequential([Input((5,)), Dense(1, activation="sigmoid")])
    binary.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    p = binary.predict(x, verbose=0).ravel()
    assert binary.evaluate(x, y % 2, verbose=0)[1] == pytest.approx(np.mean((p > 0.5) == (y % 2)))


def test_losses_and_metrics_as_objects_classes_and_functions():
    x, y = data()
    for loss in (
        losses.SparseCategoricalCrossentropy(),
        losses.SparseCategoricalCrossentropy,
        losses.sparse_categorical_crossentropy,
    ):
        model = classifier(loss=loss)
        assert np.isfinite(model.fit(x, y, verbose=0).history["loss"][0])
    model.compile(
        "adam",
        "sparse_categorical_crossentropy",
        metrics=[metrics.SparseCategoricalAccuracy(name="right"), lambda t, p: p.max(axis=1)],
    )
    assert list(model.fit(x, y, verbose=0).history) == ["<lambda>", "loss", "right"]


def test_unknown_names_are_answered_with_the_known_ones():
    model = Sequential([Input((5,)), Dense(3)])
    with pytest.raises(ValueError, match="unknown optimizer 'adamm'.*Adam"):
        model.compile("adamm", "mse")
    with pytest.raises(ValueError, match="unknown loss 'msee'; closest: mse"):
        model.compile("adam", "msee")
    with pytest.raises(ValueError, match="unknown metric 'accuracyy'"):
        model.compile("adam", "mse", metrics=["accuracyy"])
    with pytest.raises(ValueError, match="unknown activation 'rely'"):
        Dense(3, activation="rely")
    with pytest.raises(ValueError, match="unknown initializer"):
        Dense(3, kernel_initializer="glorot")


def masked_values():
    """A model whose output comes with a mask; its data, what counts, and the value of each label's loss."""
    set_random_seed(2)
    tokens, y = (
        np.array([[1, 4, 5, 0], [3, 2, 0, 0], [5, 7, 8, 9]] * 8),
        np.array([[1, 2, 3, 4], [2] * 4, [2, 5, 0, 1]] * 8),
    )
    model = Sequential([Input((4,)), Embedding(10, 6, mask_zero=True), Dense(6)])
    z = model.predict(tokens, verbose=0).astype("float64")
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    return model, tokens, y, tokens != 0, -np.take_along_axis(log_p, y[..., None], axis=-1)[..., 0]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("ignored", [None, 2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
def test_a_mask_leaves_out_what_it_does_in_keras(reduction, weighted, ignored, threads):
    scratchnet.set_num_threads(threads)
    model, tokens, y, counts, values = masked_values()
    if ignored is not None:
        counts = counts & (y != ignored)
    w = np.random.default_rng(0).uniform(0, 2, y.shape) if weighted else np.ones(y.shape)
    divisor = {"sum": 1, "sum_over_batch_size": counts.sum(), "mean_with_sample_weight": (w * counts).sum()}[reduction]
    expected = (w * counts * values).sum() / divisor
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=ignored, reduction=reduction)
    model.compile("sgd", loss)
    weights = w if weighted else None
    assert model.evaluate(tokens, y, sample_weight=weights, verbose=0) == pytest.approx(expected, rel=1e-5)
    assert model.train_on_batch(tokens, y, sample_weight=weights) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", [losses.MeanSquaredError(reduction=None), losses.Huber(reduction="none")])
def test_a_loss_that_is_not_reduced_is_evaluated_as_its_mean_and_not_trained(loss):
    x, y = data()
    weights = np.random.default_rng(1).uniform(1, 2, len(y))
    model = Sequential([Input((5,)), Dense(3)])
    found = []
    for reduction in ("sum_over_batch_size", None):
        model.compile("sgd", type(loss)(reduction=reduction))
        found.append(model.evaluate(x, np.eye(3)[y], batch_size=32, sample_weight=weights, verbose=0))
    assert found[1] == pytest.approx(found[0], rel=1e-6)
    before = model.get_weights()
    model.compile("sgd", loss)
    for train in (model.fit, model.train_on_batch):
        with pytest.raises(ValueError, match='with reduction="none" the loss is an array, which has no gradient'):
            train(x, np.eye(3)[y])
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


@pytest.mark.parametrize("name", ["mse", "mae", "kl_divergence", "binary_crossentropy"])
@pytest.mark.parametrize("column", [False, True])
def test_predictions_without_an_axis_behind_the_samples(name, column):
    """As in Keras: (N,) beside (N,) is one row, whose samples meet; beside (N, 1) each is a sample's."""
    x, y = data(64)
    y = np.where(y > 0, 0.9, 0.2)
    inputs = Input((5,))
    flat = Model(inputs, ops.squeeze(Dense(1, "sigmoid", kernel_initializer="zeros")(inputs), -1))
    flat.compile("sgd", name)
    usual = Model(inputs, Dense(1, "sigmoid", kernel_initializer="zeros")(inputs))
    usual.compile("sgd", name)
    scratchnet.set_num_threads(2)
    targets = y[:, None] if column else y
    found = flat.fit(x, targets, batch_size=64, epochs=2, verbose=0, shuffle=False).history["loss"]
    if not column and name == "kl_divergence":  # the sum of a row
        assert found[0] == pytest.approx(64 * usual.evaluate(x, y, batch_size=64, verbose=0), rel=1e-5)
        return
    expected = usual.fit(x, y, batch_size=64, epochs=2, verbose=0, shuffle=False).history["loss"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert flat.evaluate(x, targets, verbose=0) == pytest.approx(usual.evaluate(x, y, verbose=0), rel=1e-5)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_a_loss_along_another_axis_is_trained_whole_and_in_parts(axis):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 4, 3)).astype("float32"), rng.uniform(size=(32, 4, 2))
    histories = []
    for threads in (1, 2):
        scratchnet.set_num_threads(threads)
        model = Sequential([Input((4, 3)), Dense(2, "softmax", kernel_initializer="ones")])
        model.compile("sgd", losses.CategoricalCrossentropy(axis=axis))
        histories.append(model.fit(x, y, epochs=3, batch_size=32, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*histories, rtol=1e-5)
    expected = losses.categorical_crossentropy(y, model.predict(x, verbose=0), axis=axis).mean()
    assert model.evaluate(x, y, verbose=0, batch_size=32) == pytest.approx(expected, rel=1e-5)
