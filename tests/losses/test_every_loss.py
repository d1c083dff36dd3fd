"""What holds for every loss and option: gradients, parts, layouts, dtypes, defaults, functions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import losses
from scratchnet.gradient_check import check_loss
from scratchnet.gradient_check.differences import STEP, noise_of_differences, numeric_gradient


def errors(rng, shape):
    """Real targets, and predictions whose errors stay away from 0 and from 0.5."""
    y_true = rng.normal(size=shape)
    return y_true, y_true + rng.choice([-1, 1], shape) * rng.choice([0.2, 0.7], shape) * rng.uniform(0.9, 1.1, shape)


def directions(rng, shape):
    """Real targets and predictions of length 1 to 2: the shorter a vector, the more its direction bends."""
    y_true, y_pred = rng.normal(size=shape), rng.normal(size=shape)
    lengths = rng.uniform(1, 2, (*shape[:-1], 1))
    return y_true, y_pred / np.linalg.norm(y_pred, axis=-1, keepdims=True) * lengths


def soft(rng, shape):
    return rng.uniform(0.05, 0.95, shape), rng.uniform(0.05, 0.95, shape)


def soft_logits(rng, shape):
    return rng.uniform(0.05, 0.95, shape), rng.normal(scale=2, size=shape)


def labels(rng, shape):
    return rng.integers(0, shape[-1], shape[:-1]), rng.uniform(0.05, 0.95, shape)


def counts(rng, shape):
    return rng.poisson(2.0, shape).astype(float), rng.uniform(0.1, 3.0, shape)


def signs(rng, shape):
    """Targets of -1 and +1, and scores that stay away from the margin."""
    t = rng.choice([-1.0, 1.0], shape)
    return t, t * rng.choice([0.3, 2.0], shape) * rng.uniform(0.9, 1.1, shape)


def one_hot_scores(rng, shape):
    """One class of each, and positive scores of which no two are alike or lie a whole margin apart."""
    ranks = np.argsort(rng.uniform(size=shape), axis=-1)
    return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])], 0.2 * ranks + rng.uniform(0.1, 0.2, shape)


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
    (losses.MeanAbsolutePercentageError, {}, errors),
    (losses.MeanSquaredLogarithmicError, {}, soft),
    (losses.LogCosh, {}, errors),
    (losses.Poisson, {}, counts),
    (losses.Hinge, {}, signs),
    (losses.SquaredHinge, {}, signs),
    (losses.CategoricalHinge, {}, one_hot_scores),
    (losses.BinaryFocalCrossentropy, {}, soft),
    (
        losses.BinaryFocalCrossentropy,
        {"apply_class_balancing": True, "gamma": 1.5, "from_logits": True, "label_smoothing": 0.2},
        soft_logits,
    ),
    (losses.CategoricalFocalCrossentropy, {"gamma": 0.0}, soft),
    (losses.CategoricalFocalCrossentropy, {"from_logits": True, "label_smoothing": 0.2}, soft_logits),
    (losses.CategoricalGeneralizedCrossEntropy, {"q": 0.7}, labels),
    (losses.KLDivergence, {}, soft),
    (losses.CosineSimilarity, {}, directions),
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
    # A gradient may be zero (all samples ignored) or nearly so, when large terms cancel (predictions proportional to
    # the targets); what differences miss is to be small beside the terms.
    scale = max(np.abs(analytic).max(), abs(float(loss(y_true, y_pred, weights))))
    assert np.abs(numeric - analytic).max() < max(1e-7 * scale, noise_of_differences(np.prod(shape), STEP))


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


COMMON = {"reduction": "sum_over_batch_size"}


LOGITS = {"from_logits": False, "axis": -1}


DEFAULTS = {
    "MeanSquaredError": {"name": "mean_squared_error"},
    "MeanAbsoluteError": {"name": "mean_absolute_error"},
    "Huber": {"name": "huber_loss", "delta": 1.0},
    "BinaryCrossentropy": {"name": "binary_crossentropy", "label_smoothing": 0.0, **LOGITS},
    "CategoricalCrossentropy": {"name": "categorical_crossentropy", "label_smoothing": 0.0, **LOGITS},
    "SparseCategoricalCrossentropy": {"name": "sparse_categorical_crossentropy", "ignore_class": None, **LOGITS},
    "KLDivergence": {"name": "kl_divergence"},
    "MeanAbsolutePercentageError": {"name": "mean_absolute_percentage_error"},
    "MeanSquaredLogarithmicError": {"name": "mean_squared_logarithmic_error"},
    "LogCosh": {"name": "log_cosh"},
    "Poisson": {"name": "poisson"},
    "Hinge": {"name": "hinge"},
    "SquaredHinge": {"name": "squared_hinge"},
    "CategoricalHinge": {"name": "categorical_hinge"},
    "BinaryFocalCrossentropy": {
        "name": "binary_focal_crossentropy",
        "apply_class_balancing": False,
        "alpha": 0.25,
        "gamma": 2.0,
        "label_smoothing": 0.0,
        **LOGITS,
    },
    "CategoricalFocalCrossentropy": {
        "name": "categorical_focal_crossentropy",
        "alpha": 0.25,
        "gamma": 2.0,
        "label_smoothing": 0.0,
        **LOGITS,
    },
    "CategoricalGeneralizedCrossEntropy": {"name": "categorical_generalized_cross_entropy", "q": 0.5},
    "Dice": {"name": "dice", "axis": None},
    "Tversky": {"name": "tversky", "alpha": 0.5, "beta": 0.5, "axis": None},
    "Circle": {"name": "circle", "gamma": 80.0, "margin": 0.4, "remove_diagonal": True},
    "CosineSimilarity": {"name": "cosine_similarity", "axis": -1},
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_defaults_are_keras_s(name):
    assert getattr(losses, name)().get_config() == {**COMMON, **DEFAULTS[name]}


@pytest.mark.parametrize("name", DEFAULTS)
def test_name_reduction_and_dtype_are_kept(name):
    given = {"name": "mine", "reduction": "sum", "dtype": "float64"}
    loss = getattr(losses, name)(**given)
    assert loss.get_config() == {**DEFAULTS[name], **given}
    again = losses.deserialize(losses.serialize(loss))
    assert type(again) is type(loss) and again.get_config() == loss.get_config()
    assert losses.serialize(loss)["class_name"] == name


ALONG_AXES = [name for name in DEFAULTS if DEFAULTS[name].get("axis")]


@pytest.mark.parametrize("name", ALONG_AXES)
@pytest.mark.parametrize("axis", [0, 1, -2, 2])
def test_along_another_axis_it_is_as_along_the_last(name, axis):
    rng = np.random.default_rng(0)
    y_true, y_pred = soft(rng, (3, 3, 3))
    if name.startswith("Sparse"):
        y_true = rng.integers(0, 3, (3, 3))
        expected = getattr(losses, name)(reduction=None)(y_true, np.moveaxis(y_pred, axis, -1))
    else:
        moved = (np.moveaxis(a, axis, -1) for a in (y_true, y_pred))
        expected = getattr(losses, name)(reduction=None)(*moved)
    loss = getattr(losses, name)(axis=axis)
    np.testing.assert_allclose(loss.call(y_true, y_pred), expected, rtol=1e-12)
    assert loss(y_true, y_pred) == pytest.approx(expected.mean())
    assert loss.count(y_true, 3) == 9 and loss.in_one_part(y_true, y_pred) == (axis == 0)
    assert type(loss).from_config(loss.get_config()).axis == axis
    check_loss(loss, y_true, y_pred, None if axis == 0 else rng.uniform(1, 2, 3)).raise_if_failed()


@pytest.mark.parametrize("name", ["BinaryCrossentropy", "BinaryFocalCrossentropy", "CosineSimilarity"])
def test_several_axes_are_one(name):
    y_true, y_pred = soft(np.random.default_rng(0), (4, 2, 3, 2))
    loss = getattr(losses, name)(axis=[1, -1], reduction=None)
    rows = (np.moveaxis(a, 2, 1).reshape(4, 3, 4) for a in (y_true, y_pred))
    np.testing.assert_allclose(loss(y_true, y_pred), getattr(losses, name)(reduction=None)(*rows), rtol=1e-12)
    check_loss(getattr(losses, name)(axis=(1, -1)), y_true, y_pred, np.ones((4, 3))).raise_if_failed()


@pytest.mark.parametrize("name", ALONG_AXES)
def test_what_is_no_axis_is_refused_by_name(name):
    for axis in (True, 1.0, "1", None, ()):
        with pytest.raises(ValueError, match=f'{name} "mine": axis must be an integer( or several)?, got '):
            getattr(losses, name)(axis=axis, name="mine")
    with pytest.raises(ValueError, match="axis 2 is not an axis of predictions with 2 axes"):
        getattr(losses, name)(axis=2)(np.ones((3, 3)), np.ones((3, 3)))


@pytest.mark.parametrize(
    "name",
    [name for name in DEFAULTS if not name.startswith(("Sparse", "Circle", "CategoricalGen", "Hinge", "SquaredH"))],
)
def test_targets_of_the_right_dtype_are_not_copied(name):
    t, p = np.eye(3), np.full((3, 3), 0.3)
    assert np.shares_memory(getattr(losses, name)().check_targets(t, p), t)
    assert getattr(losses, name)().check_targets(t.astype("int8"), p).dtype == np.float64


DENSE = ["mse", "mae", "huber", "binary_crossentropy", "kl_divergence", "cosine_similarity"]


@pytest.mark.parametrize("name", DENSE)
@pytest.mark.parametrize(
    ("y_true", "y_pred"), [((4,), (4, 4)), ((4, 1), (4, 4)), ((1, 4), (4, 4)), ((4, 2, 3), (4, 3, 2)), ((3, 2), (4, 2))]
)
def test_shapes_never_broadcast(name, y_true, y_pred):
    loss = losses.resolve(name)
    with pytest.raises(ValueError) as told:
        loss(np.zeros(y_true), np.full(y_pred, 0.5))
    assert type(loss).__name__ in str(told.value) and loss.name in str(told.value)
    assert str(y_true) in str(told.value) and str(y_pred) in str(told.value)


@pytest.mark.parametrize("name", DENSE[:-1])
def test_an_axis_of_size_1_at_the_end_may_be_missing_or_too_many(name):
    y_true, y_pred = np.array([0.0, 1, 1]), np.array([0.2, 0.7, 0.4])
    loss = losses.resolve(name)
    value, cache = loss.forward(y_true[:, None], y_pred[:, None])
    dy = loss.backward(cache)
    other, cache = loss.forward(y_true, y_pred[:, None])
    assert other == value and loss.count(y_true, 2) == 3
    np.testing.assert_array_equal(loss.backward(cache), dy)
    other, cache = loss.forward(y_true[:, None, None], y_pred[:, None])
    assert other == value
    np.testing.assert_array_equal(loss.backward(cache), dy)
    other, cache = loss.forward(y_true[:, None], y_pred)
    assert other == value and loss.count(y_true[:, None], 1) == 3
    np.testing.assert_array_equal(loss.backward(cache), dy[:, 0])
    assert loss.value(y_true[:, None], y_pred) == loss.in_one_pass(y_true[:, None], y_pred)[0] == value
    assert loss.count(y_true, 1) == 1  # one sample of three numbers


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool", "float64", "float32"])
def test_targets_of_any_dtype(dtype):
    y_pred = np.array([[0.3, 0.8]], "float32")
    for loss in (losses.MeanSquaredError(), losses.BinaryCrossentropy(), losses.CategoricalCrossentropy()):
        value, cache = loss.forward(np.array([[0, 1]], dtype), y_pred)
        assert value == pytest.approx(float(loss(np.array([[0.0, 1.0]]), y_pred.astype("float64"))), rel=1e-6)
        assert value.dtype == loss.backward(cache).dtype == np.float32
    sparse = losses.SparseCategoricalCrossentropy()
    assert sparse(np.array([1], dtype), y_pred) == pytest.approx(-np.log(8 / 11), rel=1e-6)


def test_a_nan_target_shows_in_the_value_and_does_not_crash():
    for name in DENSE:
        value, cache = losses.resolve(name).forward(np.array([[np.nan, 0.5]]), np.array([[0.5, 0.5]]))
        assert np.isnan(value)
        assert losses.resolve(name).backward(cache).shape == (1, 2)


def test_values_by_hand():
    assert losses.MeanSquaredError()([[0.0, 1.0]], [[1.0, 3.0]]) == 2.5
    assert losses.MeanAbsoluteError()([[0.0, 1.0]], [[1.0, 3.0]]) == 1.5
    assert losses.Huber(1.0)([[0.0, 0.0]], [[0.5, 3.0]]) == pytest.approx((0.125 + 2.5) / 2)
    assert losses.BinaryCrossentropy()([[1.0, 0.0]], [[0.8, 0.4]]) == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)
    assert losses.CategoricalCrossentropy()([[0, 1]], [[0.3, 0.9]]) == pytest.approx(-np.log(0.75))
    assert losses.SparseCategoricalCrossentropy()([1], [[0.25, 0.75]]) == pytest.approx(-np.log(0.75))
    assert losses.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]]) == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(2 / 3))
    assert losses.CosineSimilarity()([[1.0, 0.0]], [[3.0, 3.0]]) == pytest.approx(-np.sqrt(0.5))
