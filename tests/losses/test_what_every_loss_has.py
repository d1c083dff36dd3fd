"""What every loss has: Keras's defaults, what is handed on to the base, a loss of one's own, counts and weights."""

import numpy as np
import pytest

from scratchnet import losses
from scratchnet.gradient_check import check_loss
from scratchnet.losses import base

COMMON = {"reduction": "sum_over_batch_size", "dtype": None}
LOGITS = {"from_logits": False, "axis": -1}
DEFAULTS = {
    "MeanSquaredError": {"name": "mean_squared_error"},
    "MeanAbsoluteError": {"name": "mean_absolute_error"},
    "Huber": {"name": "huber_loss", "delta": 1.0},
    "BinaryCrossentropy": {"name": "binary_crossentropy", "label_smoothing": 0.0, **LOGITS},
    "CategoricalCrossentropy": {"name": "categorical_crossentropy", "label_smoothing": 0.0, **LOGITS},
    "SparseCategoricalCrossentropy": {"name": "sparse_categorical_crossentropy", "ignore_class": None, **LOGITS},
    "KLDivergence": {"name": "kl_divergence"},
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


@pytest.mark.parametrize("name", ["BinaryCrossentropy", "CategoricalCrossentropy"])
def test_label_smoothing_ends_at_zero_and_one(name):
    for value in (0, 1, 0.5):
        assert getattr(losses, name)(label_smoothing=value).label_smoothing == value
    for value in (-0.1, 1.1):
        with pytest.raises(ValueError, match=f'{name} ".*": label_smoothing must be between 0 and 1, got {value}'):
            getattr(losses, name)(label_smoothing=value)


@pytest.mark.parametrize("name", [name for name in DEFAULTS if "axis" in DEFAULTS[name]])
def test_another_axis_is_refused_by_name(name):
    with pytest.raises(ValueError, match=f'{name} "mine": only axis=-1 is implemented, got 1'):
        getattr(losses, name)(axis=1, name="mine")


def test_huber_s_delta_is_above_zero():
    assert losses.Huber(0.01).delta == 0.01
    for value in (0, -1):
        with pytest.raises(ValueError, match=f'Huber "huber_loss": delta must be positive, got {value}'):
            losses.Huber(value)


class LogCosh(losses.Loss):
    def values(self, y_true, y_pred):
        e = y_pred - y_true
        return np.log(np.cosh(e)).mean(axis=-1), e

    def gradient(self, dvalues, cache):
        e = cache
        return np.tanh(e) / e.shape[-1] * dvalues


def test_a_loss_of_ones_own():
    rng = np.random.default_rng(0)
    loss = LogCosh()
    check_loss(loss, rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), rng.uniform(1, 2, 3)).raise_if_failed()
    assert (loss.name, loss.reduction) == ("log_cosh", "sum_over_batch_size")
    again = losses.deserialize({"class_name": "LogCosh", "config": loss.get_config()}, {"LogCosh": LogCosh})
    assert isinstance(again, LogCosh) and isinstance(losses.get(LogCosh), LogCosh)
    assert losses.deserialize({"class_name": "LogCosh"}, {"LogCosh": LogCosh}).name == "log_cosh"
    assert losses.serialize(loss) == {"class_name": "LogCosh", "config": loss.get_config()}
    nothing = losses.Loss(name="half")
    with pytest.raises(NotImplementedError, match=r"Loss defines no values\(y_true, y_pred\)"):
        nothing(np.ones((1, 1)), np.ones((1, 1)))
    with pytest.raises(NotImplementedError, match="Loss defines no gradient"):
        nothing.gradient(None, None)
    with pytest.raises(ValueError, match="unknown loss class 'Other'; give it in custom_objects"):
        losses.deserialize({"class_name": "Other"})
    with pytest.raises(TypeError, match="loss 3 is neither a name nor a Loss"):
        losses.get(3)


class ButTheFirst(losses.MeanSquaredError):
    """Spares the first step of each sequence."""

    def valid(self, y_true, shape):
        counts = np.ones(shape, dtype=bool)
        counts[:, 0] = False
        return counts


def test_a_loss_of_ones_own_says_which_values_count():
    loss, y_true, y_pred = ButTheFirst(), np.zeros((2, 3, 1)), np.array([[[9.0], [1], [2]], [[9], [3], [4]]])
    assert loss.count(y_true, 3) == 4
    value, cache = loss.forward(y_true, y_pred)
    assert value == (1 + 4 + 9 + 16) / 4
    np.testing.assert_array_equal(loss.backward(cache)[..., 0], [[0, 0.5, 1], [0, 1.5, 2]])


class Sum(losses.Loss):
    def values(self, y_true, y_pred):
        return y_pred.sum(axis=-1), y_pred

    def gradient(self, dvalues, cache):
        return cache


def test_what_has_the_right_dtype_is_not_copied():
    y_pred = np.ones((2, 3), "float32")
    _, cache = Sum().forward(y_pred, y_pred)
    assert np.shares_memory(cache.terms, y_pred)
    assert np.shares_memory(Sum().backward(cache), cache.terms)


def test_a_gradient_of_the_wrong_shape_is_named():
    class Wrong(Sum):
        def gradient(self, dvalues, cache):
            return np.ones(cache.shape[:1])

    loss = Wrong()
    with pytest.raises(ValueError) as told:
        loss.backward(loss.forward(np.ones((2, 3)), np.ones((2, 3)))[1])
    assert str(told.value) == 'Wrong "wrong": gradient gives shape (2,) for predictions of shape (2, 3)'


def test_unknown_reductions_name_the_known_ones():
    with pytest.raises(ValueError) as told:
        losses.Huber(reduction="median")
    assert str(told.value) == (
        "Huber: unknown reduction 'median', expected one of "
        "('sum_over_batch_size', 'mean', 'mean_with_sample_weight', 'sum', 'none') or None"
    )
    y_true, y_pred = np.zeros((2, 2)), np.ones((2, 2))
    assert losses.MeanSquaredError(reduction="mean")(y_true, y_pred) == 1
    assert losses.MeanSquaredError(reduction="sum")(y_true, y_pred) == 2
    for nothing in (None, "none"):
        loss = losses.MeanSquaredError(reduction=nothing)
        values, cache = loss.forward(y_true, y_pred, sample_weight=[1, 3])
        assert values.tolist() == [1, 3] and loss.reduction == "none"
        with pytest.raises(
            ValueError, match='MeanSquaredError "mean_squared_error": with reduction="none" .* take reduction="sum"'
        ):
            loss.backward(cache)


def test_the_count_is_that_of_the_values_of_the_weights_or_one():
    y_true, weights = np.zeros((4, 3, 2)), np.full((4, 1), 0.5)
    assert losses.MeanSquaredError().count(y_true, 3) == 12
    assert losses.MeanSquaredError().count(y_true, 3, weights) == 12
    assert losses.MeanSquaredError(reduction="sum").count(y_true, 3, weights) == 1
    assert losses.MeanSquaredError(reduction="mean_with_sample_weight").count(y_true, 3) == 12
    assert losses.MeanSquaredError(reduction="mean_with_sample_weight").count(y_true, 3, np.ones((4, 3))) == 12
    large = np.array([2**24, 1, 1], "float32")  # whose sum in float32 is 2^24
    assert losses.MeanSquaredError(reduction="mean_with_sample_weight").count(np.zeros((3, 1)), 2, large) == 2**24 + 2
    sparse = losses.SparseCategoricalCrossentropy(ignore_class=7)
    assert sparse.count(np.array([0, 7, 1]), 2) == 2
    weighted = losses.SparseCategoricalCrossentropy(ignore_class=7, reduction="mean_with_sample_weight")
    assert weighted.count([0, 7, 1], 2, [0.5, 9, 2]) == 2.5


def test_weights_in_float64_leave_float32_alone_and_a_given_count_rules():
    y_true, y_pred = np.zeros((2, 2)), np.ones((2, 2), "float32")
    loss = losses.MeanSquaredError()
    value, cache = loss.forward(y_true, y_pred, sample_weight=np.array([1.0, 2.0]), count=6)
    assert value.dtype == loss.backward(cache).dtype == np.float32
    assert value == 0.5
    np.testing.assert_allclose(loss.backward(cache), [[1 / 6, 1 / 6], [1 / 3, 1 / 3]], rtol=1e-6)
    assert loss.forward(y_true, y_pred, count=0)[0] == 0
    assert loss(y_true, y_pred, [1, 2]) == 1.5


@pytest.mark.parametrize(
    ("weights", "shape", "expected"),
    [
        ((4,), (4,), (4,)),
        ((4, 1), (4,), (4,)),
        ((4,), (4, 3), (4, 1)),
        ((4, 3), (4, 3), (4, 3)),
        ((4, 1), (4, 3), (4, 1)),
        ((1, 3), (4, 3), (1, 3)),
        ((4, 3, 1), (4, 3), (4, 3)),
        ((), (4, 3), (1, 1)),
        ((4, 2), (4,), None),
        ((4, 3, 2), (4, 3), None),
        ((3,), (4, 3), None),
        ((4, 3, 1, 1), (4, 3), None),
        ((4, 2), (4, 3), None),
    ],
)
def test_which_weights_fit(weights, shape, expected):
    fitted = base.expanded_weights(np.ones(weights), shape)
    assert (None if fitted is None else fitted.shape) == expected


@pytest.mark.parametrize(
    ("y_true", "y_pred", "fits"),
    [
        ((4,), (4,), True),
        ((4, 1), (4,), True),
        ((4,), (4, 1), True),
        ((4, 2), (4,), False),
        ((4,), (4, 4), False),
        ((1, 4), (4,), False),
    ],
)
def test_which_targets_fit(y_true, y_pred, fits):
    found = base.in_shape_of(np.ones(y_pred), np.ones(y_true))
    assert (found is not None) == fits
    assert found is None or found.shape == y_pred


def test_names_in_snake_case():
    for name, expected in (
        ("KLDivergence", "kl_divergence"),
        ("Huber", "huber"),
        ("L2Loss", "l2_loss"),
        ("MSE", "mse"),
    ):
        assert base.snake_case(name) == expected


def test_targets_of_a_divergence_are_cut_at_one():
    loss, p = losses.KLDivergence(), np.array([[0.5, 0.25]])
    assert loss(np.array([[2.0, 0.5]]), p) == loss(np.array([[1.0, 0.5]]), p)
    assert loss(np.array([[1.0, 0.0]]), np.array([[1.0, 0.5]])) == pytest.approx(0, abs=1e-5)
    dy = loss.backward(loss.forward(np.array([[0.5, 0.5]]), np.array([[2.0, 0.5]]))[1])
    np.testing.assert_array_equal(dy, [[0, -1]])


def test_a_vector_of_no_length_has_a_finite_gradient():
    loss = losses.CosineSimilarity()
    value, cache = loss.forward(np.array([[3.0, 4.0]]), np.zeros((1, 2)))
    assert value == 0
    np.testing.assert_allclose(loss.backward(cache), [[-0.6e7, -0.8e7]])


def said(loss, y_true, y_pred):
    with pytest.raises(ValueError) as told:
        loss(np.asarray(y_true), np.asarray(y_pred))
    return str(told.value)


def test_what_is_said_of_targets_that_do_not_fit():
    binary, p = losses.BinaryCrossentropy(name="b"), np.full((2, 2), 0.5)
    beyond = 'BinaryCrossentropy "b": targets must lie between 0 and 1, got {}; bytes are divided by 255 first'
    assert said(binary, [[0, 1.5], [0, 1]], p) == beyond.format("0 to 1.5")
    assert said(binary, [[-0.5, 0], [0, 1]], p) == beyond.format("-0.5 to 1")
    one_hot, p = losses.CategoricalCrossentropy(name="c"), np.full((2, 3), 0.5)
    hint = "; integer labels need sparse_categorical_crossentropy, or to_categorical first"
    for shape, expected in (((2,), hint), ((2, 1), hint), ((2, 2), ""), ((3,), ""), ((1,), ""), ((2, 3, 1), "")):
        assert said(one_hot, np.ones(shape), p) == (
            f'CategoricalCrossentropy "c": targets of shape {shape} do not match predictions of shape (2, 3){expected}'
        )
    for shape in ((2, 2), (2, 2, 1)):
        assert said(one_hot, np.ones(shape), np.ones((2, 2, 3))).endswith(hint)
    sparse = losses.SparseCategoricalCrossentropy(name="s")
    hint = "; one-hot targets need categorical_crossentropy"
    for shape, expected in (((2, 3), hint), ((2, 2), ""), ((3,), ""), ((2, 1, 1), "")):
        assert said(sparse, np.ones(shape), p) == (
            f'SparseCategoricalCrossentropy "s": labels of shape {shape} do not match predictions of shape '
            f"(2, 3){expected}"
        )
    for loss, name in ((one_hot, 'CategoricalCrossentropy "c"'), (sparse, 'SparseCategoricalCrossentropy "s"')):
        assert said(loss, np.ones(3), np.ones(3)) == (
            f"{name}: predictions need an axis of classes behind the batch axis, got shape (3,)"
        )
    assert said(losses.Huber(), np.ones((2, 3)), p[:1]) == (
        'Huber "huber_loss": targets of shape (2, 3) do not match predictions of shape (1, 3)'
    )
    assert said(losses.Huber(), 1.0, 2.0) == (
        'Huber "huber_loss": predictions need at least one axis, got a single number'
    )


@pytest.mark.parametrize("name", [name for name in DEFAULTS if name != "SparseCategoricalCrossentropy"])
def test_targets_of_the_right_dtype_are_not_copied(name):
    t, p = np.eye(3), np.full((3, 3), 0.3)
    assert np.shares_memory(getattr(losses, name)().check_targets(t, p), t)
    assert getattr(losses, name)().check_targets(t.astype("int8"), p).dtype == np.float64


def test_labels_of_the_right_dtype_are_not_copied_and_without_an_ignored_class_all_count():
    labels, p = np.array([0, 2, 1]), np.full((3, 3), 0.3)
    loss = losses.SparseCategoricalCrossentropy()
    assert np.shares_memory(loss.forward(labels, p)[1].terms.labels, labels)
    assert loss.valid(labels, (3,)) is None
    one_class = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    assert one_class([-1, 0], np.ones((2, 1))) == pytest.approx(0)
    weighted = losses.SparseCategoricalCrossentropy(ignore_class=7, reduction="mean_with_sample_weight")
    assert weighted.count([[0], [7], [1]], 2, [0.5, 9, 2]) == 2.5
