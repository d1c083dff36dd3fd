"""What losses accept and refuse: shapes, dtypes, labels, names; messages say what was given and what is expected."""

import re

import numpy as np
import pytest

from scratchnet import config, losses

DENSE = ["mse", "mae", "huber", "binary_crossentropy", "kl_divergence", "cosine_similarity"]


@pytest.mark.parametrize("name", DENSE)
@pytest.mark.parametrize(
    ("y_true", "y_pred"), [((4,), (4, 4)), ((4, 1), (4, 4)), ((1, 4), (4, 4)), ((4, 2, 3), (4, 3, 2)), ((3, 2), (4, 2))]
)
def test_shapes_never_broadcast(name, y_true, y_pred):
    loss = losses.get(name)
    with pytest.raises(ValueError) as told:
        loss(np.zeros(y_true), np.full(y_pred, 0.5))
    assert type(loss).__name__ in str(told.value) and loss.name in str(told.value)
    assert str(y_true) in str(told.value) and str(y_pred) in str(told.value)


@pytest.mark.parametrize("name", DENSE[:-1])
def test_an_axis_of_size_1_at_the_end_may_be_missing_or_too_many(name):
    y_true, y_pred = np.array([0.0, 1, 1]), np.array([0.2, 0.7, 0.4])
    loss = losses.get(name)
    value, cache = loss.forward(y_true[:, None], y_pred[:, None])
    dy = loss.backward(cache)
    other, cache = loss.forward(y_true, y_pred[:, None])
    assert other == value and loss.count(y_true, 2) == 3
    np.testing.assert_array_equal(loss.backward(cache), dy)
    other, cache = loss.forward(y_true[:, None, None], y_pred[:, None])
    assert other == value
    np.testing.assert_array_equal(loss.backward(cache), dy)
    assert loss.backward(loss.forward(y_true[:, None], y_pred)[1]).shape == (3,)  # one sample of three numbers
    assert loss.count(y_true, 1) == 1


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool", "float64", "float32"])
def test_targets_of_any_dtype(dtype):
    y_pred = np.array([[0.3, 0.8]], "float32")
    for loss in (losses.MeanSquaredError(), losses.BinaryCrossentropy(), losses.CategoricalCrossentropy()):
        value, cache = loss.forward(np.array([[0, 1]], dtype), y_pred)
        assert value == pytest.approx(float(loss(np.array([[0.0, 1.0]]), y_pred.astype("float64"))), rel=1e-6)
        assert value.dtype == loss.backward(cache).dtype == np.float32
    sparse = losses.SparseCategoricalCrossentropy()
    assert sparse(np.array([1], dtype), y_pred) == pytest.approx(-np.log(8 / 11), rel=1e-6)


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


def test_a_nan_target_shows_in_the_value_and_does_not_crash():
    for name in DENSE:
        value, cache = losses.get(name).forward(np.array([[np.nan, 0.5]]), np.array([[0.5, 0.5]]))
        assert np.isnan(value)
        assert losses.get(name).backward(cache).shape == (1, 2)


def test_a_batch_of_none_is_zero():
    loss = losses.MeanSquaredError()
    value, cache = loss.forward(np.zeros((0, 3)), np.zeros((0, 3)))
    assert value == 0 and loss.backward(cache).shape == (0, 3)


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


def test_a_single_number_is_no_prediction():
    with pytest.raises(ValueError, match="at least one axis"):
        losses.MeanSquaredError()(1.0, 2.0)


@pytest.mark.parametrize("shape", [(3,), (4, 3), (1, 3), (4, 2, 3), (2, 4)])
def test_sample_weights_that_do_not_match(shape):
    for reduction in ("sum_over_batch_size", "mean_with_sample_weight"):
        message = f"sample weights of shape {shape} do not match loss values of shape (4, 2)"
        with pytest.raises(ValueError, match=re.escape(message)):
            losses.MeanSquaredError(reduction=reduction)(np.zeros((4, 2, 3)), np.zeros((4, 2, 3)), np.ones(shape))


def test_what_only_keras_has_is_refused_by_name():
    for name in ("poisson", "Hinge", "mape", "crossentropy"):
        with pytest.raises(ValueError, match=f"Keras's loss '{name}' is not implemented in scratchnet: known are"):
            losses.get(name)
    for name in ("poisson", "Hinge"):
        with pytest.raises(AttributeError, match=f"Keras's loss '{name}' is not implemented"):
            getattr(losses, name)
    with pytest.raises(ValueError, match="Keras's loss 'Dice'"):
        losses.deserialize({"class_name": "Dice", "config": {}})
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        losses.nothing


def test_none_stays_none_and_functions_are_stored_by_name():
    assert losses.get(None) is None
    for alias in losses.__all__:
        if alias not in ("Loss", "deserialize", "get", "serialize"):
            assert type(losses.get(alias)) is type(losses.get(getattr(losses, alias)))
    assert losses.serialize(losses.mse) == "mean_squared_error"
    assert isinstance(losses.deserialize("mean_squared_error"), losses.MeanSquaredError)
    for wrong in (3, lambda y_true, y_pred: 0):
        with pytest.raises(TypeError, match="neither a Loss nor a function of scratchnet.losses"):
            losses.serialize(wrong)
