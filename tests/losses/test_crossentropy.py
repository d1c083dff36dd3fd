"""Cross-entropies: values by hand, logits, what is cut, smoothing, labels and the ignored class."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import losses
from scratchnet.gradient_check import check_loss, numeric_gradient, relative_error


def labels(rng, shape):
    return rng.integers(0, shape[-1], shape[:-1]), rng.uniform(0.05, 0.95, shape)


@pytest.mark.parametrize("cls", [losses.BinaryCrossentropy, losses.KLDivergence])
def test_no_gradient_passes_where_a_probability_was_cut(cls):
    y_pred = np.array([[-0.5, 0.3, 1.5]])
    y_true = np.array([[0.2, 0.6, 0.9]])
    loss = cls(reduction="sum")
    dy = loss.backward(loss.forward(y_true, y_pred)[1])
    np.testing.assert_array_equal(dy != 0, [[False, True, False]])
    assert relative_error(numeric_gradient(lambda: float(loss(y_true, y_pred)), y_pred), dy) < 1e-7


def test_a_cut_class_still_counts_in_the_sum_of_the_others():
    y_pred = np.array([[-0.4, 0.5, 0.9]])
    for loss, y_true in (
        (losses.CategoricalCrossentropy(), np.array([[0.2, 0.3, 0.5]])),
        (losses.SparseCategoricalCrossentropy(), np.array([1])),
        (losses.SparseCategoricalCrossentropy(), np.array([0])),
    ):
        dy = loss.backward(loss.forward(y_true, y_pred)[1])
        assert relative_error(numeric_gradient(lambda loss=loss, t=y_true: float(loss(t, y_pred)), y_pred), dy) < 1e-7


def test_the_edges_of_the_cut_themselves_let_the_gradient_pass():
    low, high = 1e-7, 1 - 1e-7
    loss = losses.BinaryCrossentropy(reduction="sum")
    dy = loss.backward(loss.forward(np.array([[1.0, 0.0]]), np.array([[low, high]]))[1])
    np.testing.assert_allclose(dy, [[-1 / low / 2, 1 / (1 - high) / 2]])


@pytest.mark.parametrize("cls", [losses.CategoricalCrossentropy, losses.SparseCategoricalCrossentropy])
def test_the_gradient_of_probabilities_is_along_their_simplex(cls):
    y_true, y_pred = labels(np.random.default_rng(0), (5, 4))
    if cls is losses.CategoricalCrossentropy:
        y_true = np.eye(4)[y_true]
    dy = cls()
    dy = dy.backward(dy.forward(y_true, y_pred)[1])
    # Scaling a row changes nothing, since it is divided by its sum.
    np.testing.assert_allclose((dy * y_pred).sum(axis=-1), 0, atol=1e-15)


def test_from_logits_is_finite_for_any_logits():
    z = np.array([[1e4, -1e4, 0.0]], "float32")
    for loss, y_true in (
        (losses.BinaryCrossentropy(from_logits=True), [[0.0, 1.0, 0.5]]),
        (losses.CategoricalCrossentropy(from_logits=True), [[0.0, 1.0, 0.0]]),
        (losses.SparseCategoricalCrossentropy(from_logits=True), [1]),
    ):
        value, cache = loss.forward(np.array(y_true), z)
        assert np.isfinite(value) and value > 6000
        assert np.isfinite(loss.backward(cache)).all()


def test_ignored_samples_take_no_part_whatever_their_predictions():
    loss = losses.SparseCategoricalCrossentropy(ignore_class=255)
    y_true = np.array([0, 255], "uint8")
    value, cache = loss.forward(y_true, np.array([[0.25, 0.75], [np.nan, 0.0]]))
    assert value == pytest.approx(-np.log(0.25))
    np.testing.assert_allclose(loss.backward(cache), [[-3.0, 1.0], [0.0, 0.0]])


@pytest.mark.parametrize("name", ["BinaryCrossentropy", "CategoricalCrossentropy"])
def test_label_smoothing_ends_at_zero_and_one(name):
    for value in (0, 1, 0.5):
        assert getattr(losses, name)(label_smoothing=value).label_smoothing == value
    for value in (-0.1, 1.1):
        with pytest.raises(ValueError, match=f'{name} ".*": label_smoothing must be between 0 and 1, got {value}'):
            getattr(losses, name)(label_smoothing=value)


def test_labels_of_the_right_dtype_are_not_copied_and_without_an_ignored_class_all_count():
    labels, p = np.array([0, 2, 1]), np.full((3, 3), 0.3)
    loss = losses.SparseCategoricalCrossentropy()
    assert np.shares_memory(loss.forward(labels, p)[1].terms.labels, labels)
    assert loss.valid(labels, (3,)) is None
    one_class = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    assert one_class([-1, 0], np.ones((2, 1))) == pytest.approx(0)
    weighted = losses.SparseCategoricalCrossentropy(ignore_class=7, reduction="mean_with_sample_weight")
    assert weighted.count([[0], [7], [1]], 2, [0.5, 9, 2]) == 2.5


@pytest.mark.parametrize(
    ("labels", "kind", "message"),
    [
        ([0, -1], ValueError, r"label -1 is outside the 3 classes of the predictions \(0 to 2\)"),
        ([3, 0], ValueError, r"label 3 is outside the 3 classes"),
        ([np.inf, 0], ValueError, "label inf is outside"),
        ([0.0, 1.5], ValueError, "labels must be integers, got 1.5"),
        ([0.0, np.nan], ValueError, "labels must be integers, got nan"),
        (["a", "b"], TypeError, "labels must be integers, got an array of <U1"),
        (np.zeros((2, 2)), ValueError, r"labels of shape \(2, 2\) do not match predictions of shape \(2, 3\)"),
    ],
)
def test_labels_outside_the_classes_are_named(labels, kind, message):
    loss = losses.SparseCategoricalCrossentropy(name="digits")
    with pytest.raises(kind, match=f'SparseCategoricalCrossentropy "digits": {message}'):
        loss(np.array(labels), np.full((2, 3), 0.3))


def test_labels_of_sequences_have_an_axis_of_size_1_or_none():
    labels, p = np.array([[0, 2], [1, 1]]), np.array([[[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]]] * 2)  # (N, T), (N, T, C)
    loss = losses.SparseCategoricalCrossentropy(reduction="none")
    np.testing.assert_allclose(loss(labels, p), [[np.log(2), np.log(2)], [np.log(4), np.log(4)]], rtol=1e-6)
    np.testing.assert_array_equal(loss(labels[..., None], p), loss(labels, p))


def test_only_the_ignored_class_may_be_outside():
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    assert loss([-1, 0], np.full((2, 3), 0.3)) == pytest.approx(np.log(3))
    assert loss(np.array([[-1], [0]]), np.full((2, 3), 0.3)) == pytest.approx(np.log(3))
    with pytest.raises(ValueError, match="label -2"):
        loss([-1, -2], np.full((2, 3), 0.3))


def test_a_single_class_is_warned_of():
    with pytest.warns(SyntaxWarning, match="one class only"):
        losses.CategoricalCrossentropy()(np.ones((2, 1)), np.full((2, 1), 0.3))


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


SHAPES = (
    st.lists(st.integers(1, 4), min_size=1, max_size=2)
    .map(tuple)
    .flatmap(lambda s: st.integers(2, 4).map(lambda d: (*s, d)))
)


@pytest.mark.parametrize("name", ["BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy"])
@given(shape=SHAPES, seed=st.integers(0, 1000))
def test_gradient_from_logits_and_its_agreement_with_probabilities(name, shape, seed):
    y_true, _ = case(name, shape, seed)
    z = np.random.default_rng(seed).normal(size=shape)
    loss = getattr(losses, name)(from_logits=True)
    check_loss(loss, y_true, z).raise_if_failed()
    p = 1 / (1 + np.exp(-z)) if name == "BinaryCrossentropy" else np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    assert loss(y_true, z) == pytest.approx(getattr(losses, name)()(y_true, p), rel=1e-9)


def test_an_ignored_class_counts_neither_above_nor_below():
    p = np.array([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]])
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    assert loss([1, -1, 0], p) == pytest.approx(-(np.log(0.8) + np.log(0.9)) / 2)
    _, cache = loss.forward(np.array([1, -1, 0]), p)
    assert (loss.backward(cache)[1] == 0).all()
    assert loss([-1, -1, -1], p) == 0


def test_an_ignored_class_with_every_reduction():
    y_true, y_pred = np.array([0, 1, 2, 0]), np.tile([0.2, 0.3, 0.5], (4, 1))
    weights = np.array([1.0, 2, 3, 4])
    for reduction, plain, weighted in (
        ("sum_over_batch_size", 0.94856, 2.2436936),
        ("sum", 1.89712, 4.487387),
        ("mean_with_sample_weight", 0.94856, 0.89747745),
        ("none", [0, 1.2039728, 0.6931472, 0], [0, 2.4079456, 2.0794415, 0]),
    ):
        loss = losses.SparseCategoricalCrossentropy(ignore_class=0, reduction=reduction)
        np.testing.assert_allclose(loss(y_true, y_pred), plain, rtol=1e-5)
        np.testing.assert_allclose(loss(y_true, y_pred, weights), weighted, rtol=1e-5)
