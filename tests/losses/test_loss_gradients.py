"""Gradients of every loss and option in float64: by differences, in parts, for any layout, where something is cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import losses
from scratchnet.gradient_check import numeric_gradient, relative_error


def errors(rng, shape):
    """Real targets, and predictions whose errors stay away from 0 and from 0.5."""
    y_true = rng.normal(size=shape)
    return y_true, y_true + rng.choice([-1, 1], shape) * rng.choice([0.2, 0.7], shape) * rng.uniform(0.9, 1.1, shape)


def soft(rng, shape):
    return rng.uniform(0.05, 0.95, shape), rng.uniform(0.05, 0.95, shape)


def soft_logits(rng, shape):
    return rng.uniform(0.05, 0.95, shape), rng.normal(scale=2, size=shape)


def labels(rng, shape):
    return rng.integers(0, shape[-1], shape[:-1]), rng.uniform(0.05, 0.95, shape)


def labels_logits(rng, shape):
    return rng.integers(0, shape[-1], shape[:-1]), rng.normal(scale=2, size=shape)


CASES = [
    (losses.MeanSquaredError, {}, errors),
    (losses.MeanAbsoluteError, {}, errors),
    (losses.Huber, {"delta": 0.5}, errors),
    (losses.Huber, {"delta": 10.0}, errors),
    (losses.BinaryCrossentropy, {}, soft),
    (losses.BinaryCrossentropy, {"label_smoothing": 0.3}, soft),
    (losses.BinaryCrossentropy, {"from_logits": True}, soft_logits),
    (losses.BinaryCrossentropy, {"from_logits": True, "label_smoothing": 0.3}, soft_logits),
    (losses.CategoricalCrossentropy, {}, soft),
    (losses.CategoricalCrossentropy, {"label_smoothing": 0.3}, soft),
    (losses.CategoricalCrossentropy, {"from_logits": True}, soft_logits),
    (losses.CategoricalCrossentropy, {"from_logits": True, "label_smoothing": 0.3}, soft_logits),
    (losses.SparseCategoricalCrossentropy, {}, labels),
    (losses.SparseCategoricalCrossentropy, {"ignore_class": 1}, labels),
    (losses.SparseCategoricalCrossentropy, {"from_logits": True}, labels_logits),
    (losses.SparseCategoricalCrossentropy, {"from_logits": True, "ignore_class": 1}, labels_logits),
    (losses.KLDivergence, {}, soft),
    (losses.CosineSimilarity, {}, errors),
]
REDUCTIONS = ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight"]
EVERY_CASE = pytest.mark.parametrize(("cls", "options", "draw"), CASES)
SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(2, 4)) | st.tuples(
    st.integers(1, 5), st.integers(2, 5)
)


def weights_for(rng, shape, kind):
    """Sample weights for predictions of this shape: none, or one for each sample, or one for each value."""
    of = {"none": None, "samples": shape[:1], "column": (*shape[:1], 1), "values": shape[:-1]}[kind]
    return None if of is None else rng.uniform(0.3, 3, of)


WEIGHTS = st.sampled_from(["none", "samples", "column", "values"])


@EVERY_CASE
@given(shape=SHAPES, seed=st.integers(0, 999), reduction=st.sampled_from(REDUCTIONS), weighted=WEIGHTS)
def test_backward_is_the_derivative_of_forward(cls, options, draw, shape, seed, reduction, weighted):
    rng = np.random.default_rng(seed)
    y_true, y_pred = draw(rng, shape)
    weights = weights_for(rng, shape, weighted)
    loss = cls(reduction=reduction, **options)
    analytic = loss.backward(loss.forward(y_true, y_pred, weights)[1])
    numeric = numeric_gradient(lambda: float(loss(y_true, y_pred, weights)), y_pred)
    if np.abs(analytic).max() > 1e-6:
        assert relative_error(numeric, analytic) < 1e-7
    else:  # all samples ignored, say, or a vector of one entry, whose direction never changes
        np.testing.assert_allclose(numeric, analytic, atol=1e-9)


@EVERY_CASE
@given(
    shape=SHAPES,
    seed=st.integers(0, 999),
    reduction=st.sampled_from(REDUCTIONS),
    weighted=WEIGHTS,
    cut=st.integers(0, 4),
)
def test_parts_with_the_count_of_the_whole_add_up(cls, options, draw, shape, seed, reduction, weighted, cut):
    rng = np.random.default_rng(seed)
    y_true, y_pred = draw(rng, shape)
    weights = weights_for(rng, shape, weighted)
    loss = cls(reduction=reduction, **options)
    value, cache = loss.forward(y_true, y_pred, weights)
    count = loss.count(y_true, y_pred.ndim, weights)
    parts = [
        loss.forward(y_true[rows], y_pred[rows], None if weights is None else weights[rows], count)
        for rows in (slice(0, cut), slice(cut, None))
    ]
    assert sum(part for part, _ in parts) == pytest.approx(value, rel=1e-12, abs=1e-14)
    together = np.concatenate([loss.backward(cache) for _, cache in parts])
    np.testing.assert_allclose(together, loss.backward(cache), rtol=1e-12, atol=1e-15)


@EVERY_CASE
def test_any_layout_and_dtype_gives_the_same_and_nothing_is_changed(cls, options, draw):
    rng = np.random.default_rng(3)
    y_true, y_pred = draw(rng, (4, 3, 5))
    weights = rng.uniform(0.3, 3, (4, 3))
    loss = cls(**options)
    value, cache = loss.forward(y_true, y_pred, weights)
    dy = loss.backward(cache)
    np.testing.assert_array_equal(loss.backward(cache), dy)
    for layout in (np.asfortranarray, lambda a: np.repeat(a, 2, axis=0)[::2], lambda a: a[::-1].copy()[::-1]):
        given_arrays = [layout(a) for a in (y_true, y_pred, weights)]
        kept = [a.copy() for a in given_arrays]
        for array in given_arrays:
            array.setflags(write=False)
        other, cache = loss.forward(*given_arrays)
        assert other == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(loss.backward(cache), dy, rtol=1e-12)
        for array, before in zip(given_arrays, kept):
            np.testing.assert_array_equal(array, before)
    value32, cache = loss.forward(y_true, y_pred.astype("float32"), weights)  # float64 targets and weights
    dy32 = loss.backward(cache)
    assert value32.dtype == dy32.dtype == np.float32
    assert value32 == pytest.approx(value, rel=1e-5)
    np.testing.assert_allclose(dy32, dy, rtol=0, atol=1e-5 * np.abs(dy).max())


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


def test_conventions_at_kinks():
    one = np.ones((1, 1))
    for loss, error, slope in (
        (losses.MeanAbsoluteError(), 0.0, 0.0),
        (losses.Huber(delta=0.5), 0.0, 0.0),
        (losses.Huber(delta=0.5), 0.5, 0.5),
        (losses.Huber(delta=0.5), -0.75, -0.5),
    ):
        assert loss.backward(loss.forward(one, one + error)[1]) == slope


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


def test_a_loss_of_ones_own_needs_values_and_gradient_only():
    class LogCosh(losses.Loss):
        def values(self, y_true, y_pred):
            e = y_pred - y_true
            return np.log(np.cosh(e)).mean(axis=-1), e

        def gradient(self, dvalues, cache):
            e = cache
            return np.tanh(e) / e.shape[-1] * dvalues

    rng = np.random.default_rng(0)
    y_true, y_pred = errors(rng, (3, 2, 4))
    weights = rng.uniform(1, 2, 3)
    loss = LogCosh()
    assert loss.name == "log_cosh" and loss.get_config()["reduction"] == "sum_over_batch_size"
    dy = loss.backward(loss.forward(y_true, y_pred, weights)[1])
    assert relative_error(numeric_gradient(lambda: float(loss(y_true, y_pred, weights)), y_pred), dy) < 1e-7
    again = losses.deserialize(losses.serialize(LogCosh(name="mine")), {"LogCosh": LogCosh})
    assert isinstance(again, LogCosh) and again.name == "mine"


def test_a_loss_written_for_keras_is_told_what_it_lacks():
    class OnlyCall(losses.Loss):
        def call(self, y_true, y_pred):
            return y_pred

    with pytest.raises(NotImplementedError, match=r"OnlyCall defines no values\(y_true, y_pred\).*call"):
        OnlyCall()(np.ones((2, 1)), np.ones((2, 1)))

    class NoGradient(losses.Loss):
        def values(self, y_true, y_pred):
            return y_pred.mean(axis=-1), None

    loss = NoGradient()
    with pytest.raises(NotImplementedError, match=r"NoGradient defines no gradient\(dvalues, cache\)"):
        loss.backward(loss.forward(np.ones((2, 1)), np.ones((2, 1)))[1])
