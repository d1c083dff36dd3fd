"""Losses: values by hand, gradients for whatever targets and weights, parts of a batch, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import losses
from scratchnet.gradient_check import check_loss

SMOOTH = {
    "MeanSquaredError": {},
    "BinaryCrossentropy": {"label_smoothing": 0.1},
    "CategoricalCrossentropy": {"label_smoothing": 0.1},
    "KLDivergence": {},
    "CosineSimilarity": {},
}


def case(name, shape, seed):
    """Targets and predictions (float64) that the loss takes, away from kinks and from where it clips."""
    rng = np.random.default_rng(seed)
    if name in ("BinaryCrossentropy", "KLDivergence"):
        return rng.uniform(0.05, 0.95, shape), rng.uniform(0.05, 0.95, shape)
    if name == "CategoricalCrossentropy":
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])], rng.uniform(0.1, 0.9, shape)
    if name == "SparseCategoricalCrossentropy":
        return rng.integers(0, shape[-1], shape[:-1]), rng.uniform(0.1, 0.9, shape)
    y_true = rng.normal(size=shape)
    return y_true, y_true + rng.choice([-1, 1], shape) * rng.uniform(0.2, 0.7, shape)


ALL = [*SMOOTH, "MeanAbsoluteError", "Huber", "SparseCategoricalCrossentropy"]
SHAPES = (
    st.lists(st.integers(1, 4), min_size=1, max_size=2)
    .map(tuple)
    .flatmap(lambda s: st.integers(2, 4).map(lambda d: (*s, d)))
)


@pytest.mark.parametrize("name", ALL)
@given(
    shape=SHAPES,
    seed=st.integers(0, 1000),
    reduction=st.sampled_from(["sum_over_batch_size", "sum", "mean_with_sample_weight"]),
    weighted=st.booleans(),
)
def test_gradient(name, shape, seed, reduction, weighted):
    loss = getattr(losses, name)(reduction=reduction, **SMOOTH.get(name, {}))
    y_true, y_pred = case(name, shape, seed)
    weights = np.random.default_rng(seed).uniform(0.5, 2, shape[: 1 + seed % (len(shape) - 1)]) if weighted else None
    check_loss(loss, y_true, y_pred, weights).raise_if_failed()


@pytest.mark.parametrize("name", ["BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy"])
@given(shape=SHAPES, seed=st.integers(0, 1000))
def test_gradient_from_logits_and_its_agreement_with_probabilities(name, shape, seed):
    y_true, _ = case(name, shape, seed)
    z = np.random.default_rng(seed).normal(size=shape)
    loss = getattr(losses, name)(from_logits=True)
    check_loss(loss, y_true, z).raise_if_failed()
    p = 1 / (1 + np.exp(-z)) if name == "BinaryCrossentropy" else np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    assert loss(y_true, z) == pytest.approx(getattr(losses, name)()(y_true, p), rel=1e-9)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
def test_parts_of_a_batch_with_the_count_of_the_whole_add_up(name, weighted, reduction):
    loss = getattr(losses, name)(reduction=reduction)
    y_true, y_pred = case(name, (6, 3, 4), 1)
    weights = np.random.default_rng(0).uniform(0.5, 2, (6, 3)) if weighted else None
    value, cache = loss.forward(y_true, y_pred, weights)
    whole = loss.backward(cache)
    count = loss.count(y_true, y_pred.ndim, weights)
    values, gradients = [], []
    for rows in (slice(0, 1), slice(1, 6)):
        part, cache = loss.forward(y_true[rows], y_pred[rows], None if weights is None else weights[rows], count)
        values.append(part)
        gradients.append(loss.backward(cache))
    assert sum(values) == pytest.approx(value)
    np.testing.assert_allclose(np.concatenate(gradients), whole)


@pytest.mark.parametrize("name", ALL)
def test_float32_stays_float32_nothing_is_mutated_and_backward_repeats(name):
    y_true, y_pred = case(name, (3, 4), 2)
    y_pred = y_pred.astype("float32")
    kept = y_true.copy(), y_pred.copy()
    loss = getattr(losses, name)()
    value, cache = loss.forward(y_true, y_pred)
    dy = loss.backward(cache)
    assert value.dtype == dy.dtype == np.float32
    np.testing.assert_array_equal(dy, loss.backward(cache))
    np.testing.assert_array_equal(y_true, kept[0])
    np.testing.assert_array_equal(y_pred, kept[1])


def test_values_by_hand():
    assert losses.MeanSquaredError()([[0.0, 1.0]], [[1.0, 3.0]]) == 2.5
    assert losses.MeanAbsoluteError()([[0.0, 1.0]], [[1.0, 3.0]]) == 1.5
    assert losses.Huber(1.0)([[0.0, 0.0]], [[0.5, 3.0]]) == pytest.approx((0.125 + 2.5) / 2)
    assert losses.BinaryCrossentropy()([[1.0, 0.0]], [[0.8, 0.4]]) == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)
    assert losses.CategoricalCrossentropy()([[0, 1]], [[0.3, 0.9]]) == pytest.approx(-np.log(0.75))
    assert losses.SparseCategoricalCrossentropy()([1], [[0.25, 0.75]]) == pytest.approx(-np.log(0.75))
    assert losses.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]]) == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(2 / 3))
    assert losses.CosineSimilarity()([[1.0, 0.0]], [[3.0, 3.0]]) == pytest.approx(-np.sqrt(0.5))


def test_weights_multiply_and_the_count_stays_that_of_the_values():
    y_true, y_pred = np.zeros((2, 1)), np.array([[1.0], [2.0]])
    assert losses.MeanSquaredError()(y_true, y_pred, sample_weight=[3.0, 0.5]) == pytest.approx((3 + 2) / 2)
    mean = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    assert mean(y_true, y_pred, sample_weight=[3.0, 0.5]) == pytest.approx(5 / 3.5)
    np.testing.assert_array_equal(losses.MeanSquaredError(reduction=None)(y_true, y_pred), [1.0, 4.0])


def test_an_ignored_class_counts_neither_above_nor_below():
    p = np.array([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]])
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    assert loss([1, -1, 0], p) == pytest.approx(-(np.log(0.8) + np.log(0.9)) / 2)
    _, cache = loss.forward(np.array([1, -1, 0]), p)
    assert (loss.backward(cache)[1] == 0).all()
    assert loss([-1, -1, -1], p) == 0


def test_what_happens_at_kinks_and_beyond_the_clip():
    loss = losses.MeanAbsoluteError()
    assert (loss.backward(loss.forward(np.ones((1, 2)), np.ones((1, 2)))[1]) == 0).all()
    loss = losses.BinaryCrossentropy()
    value, cache = loss.forward(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]))
    assert value == pytest.approx(-np.log(1e-7))
    assert (loss.backward(cache) == 0).all()


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred", "message"),
    [
        ("mse", np.ones(3), np.ones((3, 3)), r"targets of shape \(3,\) do not match predictions of shape \(3, 3\)"),
        ("bce", np.array([[255.0]]), np.array([[0.5]]), "between 0 and 1, got 255 to 255; bytes are divided by 255"),
        (
            "categorical_crossentropy",
            np.ones(2, int),
            np.ones((2, 3)),
            "integer labels need sparse_categorical_crossentropy",
        ),
        ("categorical_crossentropy", np.ones(2), np.ones(2), "axis of classes"),
        ("sparse_categorical_crossentropy", np.ones((2, 3)), np.ones((2, 3)), "one-hot targets need"),
        ("sparse_categorical_crossentropy", np.array([0, 5]), np.ones((2, 3)), r"label 5 is outside the 3 classes"),
        ("sparse_categorical_crossentropy", np.ones(2), np.ones(2), "axis of classes"),
    ],
)
def test_targets_that_do_not_fit_are_refused(loss, y_true, y_pred, message):
    with pytest.raises(ValueError, match=message):
        losses.get(loss)(y_true, y_pred)


def test_arguments_that_make_no_sense_are_refused():
    for make, message in (
        (lambda: losses.MeanSquaredError(reduction="median"), "unknown reduction"),
        (lambda: losses.Huber(delta=0), "delta must be positive"),
        (lambda: losses.BinaryCrossentropy(label_smoothing=2), "label_smoothing"),
        (lambda: losses.CategoricalCrossentropy(axis=1), "axis=-1"),
        (lambda: losses.CosineSimilarity(axis=0), "axis=-1"),
        (
            lambda: losses.MeanSquaredError()(np.ones((2, 2)), np.ones((2, 2)), sample_weight=np.ones(3)),
            "sample weights of shape",
        ),
        (lambda: losses.get("nothing"), "unknown loss 'nothing'"),
        (lambda: losses.deserialize({"class_name": "Nothing"}), "unknown loss class"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
    loss = losses.MeanSquaredError(reduction=None)
    with pytest.raises(ValueError, match="has no gradient"):
        loss.backward(loss.forward(np.ones((1, 1)), np.ones((1, 1)))[1])
    with pytest.raises(TypeError, match="differentiates Python code"):
        losses.get(lambda y_true, y_pred: 0)
    with pytest.raises(TypeError, match="neither a name nor a Loss"):
        losses.get(3)


def test_every_way_to_name_a_loss():
    for identifier in (
        "mse",
        "MSE",
        "mean_squared_error",
        "MeanSquaredError",
        losses.mse,
        losses.MeanSquaredError,
        losses.MeanSquaredError(),
    ):
        assert isinstance(losses.get(identifier), losses.MeanSquaredError)
    huber = losses.Huber(0.3, name="h")
    again = losses.get(losses.serialize(huber))
    assert again.get_config() == huber.get_config()
    assert repr(huber).startswith("Huber(delta=0.3")
    np.testing.assert_array_equal(
        losses.mean_squared_error([[0.0, 2.0], [1.0, 1.0]], [[0.0, 0.0], [1.0, 1.0]]), [2.0, 0.0]
    )
