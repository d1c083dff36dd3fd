"""What a loss is: one of a user's own, counts and weights, which shapes fit, how it is named and stored."""

import re

import numpy as np
import pytest

from scratchnet import config, losses
from scratchnet.gradient_check import check_loss, numeric_gradient, relative_error
from scratchnet.losses import base


def errors(rng, shape):
    """Real targets, and predictions whose errors stay away from 0 and from 0.5."""
    y_true = rng.normal(size=shape)
    return y_true, y_true + rng.choice([-1, 1], shape) * rng.choice([0.2, 0.7], shape) * rng.uniform(0.9, 1.1, shape)


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


def test_a_loss_without_a_derivative_is_told_what_it_lacks():
    class NoGradient(losses.Loss):
        def values(self, y_true, y_pred):
            return y_pred.mean(axis=-1), None

    loss = NoGradient()
    with pytest.raises(NotImplementedError, match=r"NoGradient defines no gradient\(dvalues, cache\)"):
        loss.backward(loss.forward(np.ones((2, 1)), np.ones((2, 1)))[1])


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
    assert losses.serialize(loss)["class_name"] == "LogCosh" and losses.serialize(loss)["config"] == loss.get_config()
    nothing = losses.Loss(name="half")
    with pytest.raises(NotImplementedError, match=r"Loss defines no values\(y_true, y_pred\)"):
        nothing(np.ones((1, 1)), np.ones((1, 1)))
    with pytest.raises(NotImplementedError, match="Loss defines no gradient"):
        nothing.gradient(None, None)
    with pytest.raises(ValueError, match="unknown loss 'Other'.*custom_objects"):
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


def said(loss, y_true, y_pred):
    with pytest.raises(ValueError) as told:
        loss(np.asarray(y_true), np.asarray(y_pred))
    return str(told.value)


@pytest.mark.parametrize("from_logits", [False, True])
def test_targets_beyond_0_and_1_count_and_are_warned_of(from_logits):
    binary, p = losses.BinaryCrossentropy(from_logits, name="b"), np.array([[0.5, 0.25]], "float32")
    beyond = 'BinaryCrossentropy "b": targets should lie between 0 and 1; bytes are divided by 255 first, -1 and'
    q = 1 / (1 + np.exp(-p)) if from_logits else p
    for t in ([[0, 1.5]], [[-0.5, 0]], [[-1, 255]]):
        with pytest.warns(UserWarning, match=beyond):
            found = binary.value(np.array(t), p)
        assert found == pytest.approx(-(t * np.log(q) + (1 - np.array(t)) * np.log(1 - q)).mean(), rel=1e-5)
    binary(np.array([[1.2, -0.1]]), p)  # a GAN's noisy labels


def test_what_is_said_of_targets_that_do_not_fit():
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


def test_predictions_that_are_no_floats_become_the_default_dtype():
    value, cache = losses.MeanSquaredError().forward([[0, 0]], np.array([[1, 2]]))
    assert value == 2.5 and value.dtype == config.floatx()
    assert losses.MeanSquaredError().backward(cache).dtype == config.floatx()
    assert losses.MeanSquaredError()([[0.0]], np.array([[0.5]], "float16")).dtype == config.floatx()


def test_a_loss_may_compute_in_a_dtype_of_its_own():
    y_pred = np.array([[1 - 2**-24]], "float32")
    loss = losses.MeanSquaredError(dtype="float64")
    value, cache = loss.forward(np.ones((1, 1)), y_pred)
    assert value.dtype == np.float64 and loss.backward(cache).dtype == np.float32
    with pytest.raises(ValueError, match="float16"):
        losses.MeanSquaredError(dtype="float16")


def test_a_batch_of_none_is_zero():
    loss = losses.MeanSquaredError()
    value, cache = loss.forward(np.zeros((0, 3)), np.zeros((0, 3)))
    assert value == 0 and loss.backward(cache).shape == (0, 3)


def test_a_single_number_is_no_prediction():
    with pytest.raises(ValueError, match="at least one axis"):
        losses.MeanSquaredError()(1.0, 2.0)


@pytest.mark.parametrize("weights", [[1.0, 2.0, 3.0], [[1.0], [2.0], [3.0]]])
def test_the_one_value_of_a_row_meets_every_sample_weight_as_in_keras(weights):
    t, p, w = np.array([1.0, 2, 3]), np.array([2.0, 2, 5]), np.array(weights)
    for reduction, expected in (("sum_over_batch_size", 10 / 3), ("sum", 10), ("mean_with_sample_weight", 5 / 3)):
        loss = losses.MeanSquaredError(reduction=reduction)
        value, cache = loss.forward(t, p, w)
        assert value == pytest.approx(expected) == loss.value(t, p, w)
        np.testing.assert_allclose(loss.backward(cache), expected * 2 * (p - t) / 5)  # the value itself is 5 / 3
        check_loss(loss, t, p, sample_weight=w).raise_if_failed()
    assert np.ravel(losses.MeanSquaredError(reduction=None)(t, p, w)) == pytest.approx([5 / 3, 10 / 3, 5])
    with pytest.raises(ValueError, match=r"sample weights of shape \(2,.* do not match loss values of shape \(\)"):
        losses.MeanSquaredError()(t, p, w[:2])


@pytest.mark.parametrize("shape", [(3,), (4, 3), (1, 3), (4, 2, 3), (2, 4)])
def test_sample_weights_that_do_not_match(shape):
    for reduction in ("sum_over_batch_size", "mean_with_sample_weight"):
        message = f"sample weights of shape {shape} do not match loss values of shape (4, 2)"
        with pytest.raises(ValueError, match=re.escape(message)):
            losses.MeanSquaredError(reduction=reduction)(np.zeros((4, 2, 3)), np.zeros((4, 2, 3)), np.ones(shape))


def test_what_only_keras_has_is_refused_by_name():
    for name in ("CTD", "Hinges", "crossentropy"):
        with pytest.raises(ValueError, match=f"unknown loss '{name}'.*docs/keras.md"):
            losses.get(name)
    for name in ("CTD", "Hinges"):
        with pytest.raises(AttributeError, match=f"scratchnet.losses has no '{name}'.*docs/keras.md"):
            getattr(losses, name)
    with pytest.raises(ValueError, match="unknown loss 'Dices'"):
        losses.deserialize({"class_name": "Dices", "config": {}})
    with pytest.raises(AttributeError, match="has no 'nothing'"):
        _ = losses.nothing


def test_none_stays_none_and_functions_are_stored_by_name():
    assert losses.get(None) is None
    for alias in losses.__all__:
        if alias not in ("Loss", "deserialize", "get", "resolve", "serialize"):
            assert type(losses.resolve(alias)) is type(losses.resolve(getattr(losses, alias)))
    assert losses.serialize(losses.mse) == "mean_squared_error"
    assert losses.deserialize("mean_squared_error") is losses.get("mse") is losses.mean_squared_error
    with pytest.raises(TypeError, match="neither a Loss nor a function"):
        losses.serialize(3)
    assert losses.serialize(lambda y_true, y_pred: 0)["class_name"] == "__lambda__"


def test_weights_multiply_and_the_count_stays_that_of_the_values():
    y_true, y_pred = np.zeros((2, 1)), np.array([[1.0], [2.0]])
    assert losses.MeanSquaredError()(y_true, y_pred, sample_weight=[3.0, 0.5]) == pytest.approx((3 + 2) / 2)
    mean = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    assert mean(y_true, y_pred, sample_weight=[3.0, 0.5]) == pytest.approx(5 / 3.5)
    np.testing.assert_array_equal(losses.MeanSquaredError(reduction=None)(y_true, y_pred), [1.0, 4.0])


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred", "message"),
    [
        ("mse", np.ones(3), np.ones((3, 3)), r"targets of shape \(3,\) do not match predictions of shape \(3, 3\)"),
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
        (
            lambda: losses.MeanSquaredError()(np.ones((2, 2)), np.ones((2, 2)), sample_weight=np.ones(3)),
            "sample weights of shape",
        ),
        (lambda: losses.get("nothing"), "unknown loss 'nothing'"),
        (lambda: losses.deserialize({"class_name": "Nothing"}), "unknown loss 'Nothing'"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
    loss = losses.MeanSquaredError(reduction=None)
    with pytest.raises(ValueError, match="has no gradient"):
        loss.backward(loss.forward(np.ones((1, 1)), np.ones((1, 1)))[1])
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
        assert isinstance(losses.resolve(identifier), losses.MeanSquaredError)
    huber = losses.Huber(0.3, name="h")
    again = losses.get(losses.serialize(huber))
    assert again.get_config() == huber.get_config()
    assert repr(huber).startswith("Huber(delta=0.3")
    np.testing.assert_array_equal(
        losses.mean_squared_error([[0.0, 2.0], [1.0, 1.0]], [[0.0, 0.0], [1.0, 1.0]]), [2.0, 0.0]
    )


def test_messages_list_names_separated_by_commas():
    with pytest.raises(ValueError, match="unknown loss 'mean_square_error'; closest: mean_squared_error, "):
        losses.get("mean_square_error")


def test_what_is_printed():
    assert repr(losses.MeanSquaredError()) == (
        "MeanSquaredError(reduction='sum_over_batch_size', name='mean_squared_error')"
    )
