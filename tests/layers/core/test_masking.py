"""Masking: padding becomes 0 and is told to whoever is behind."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer
from scratchnet.layers import (
    LSTM,
    RNN,
    Activation,
    Dense,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    Identity,
    Input,
    Masking,
    SimpleRNNCell,
    TimeDistributed,
)
from scratchnet.models import Model, Sequential


def test_steps_of_padding_are_masked():
    x = np.array([[[1.0, 2], [9, 9], [9, 3]]])
    layer = Masking(9.0, dtype="float64")
    np.testing.assert_array_equal(layer(x), [[[1, 2], [0, 0], [9, 3]]])
    np.testing.assert_array_equal(layer.compute_mask(x), [[True, False, True]])
    check_layer(Masking(dtype="float64"), np.random.default_rng(0).standard_normal((2, 3, 2))).raise_if_failed()
    with pytest.raises(ValueError, match=r"of shape \(N, T, ...\) or \(N, D\), got \(3,\)"):
        layer(np.ones(3))


def test_of_vectors_samples_are_masked():
    x = np.array([[0, 0], [0, 1], [2, 0], [0, 0]], "float32")
    y = Masking()(x)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(y._keras_mask, [False, True, True, False])
    np.testing.assert_array_equal(Masking(1.0)(np.array([[1, 1], [1, 2]])), [[0, 0], [1, 2]])
    check_layer(Masking(dtype="float64"), x.astype("float64") + 0.5).raise_if_failed()
    model = Model(t := Input((2,)), Dense(1, kernel_initializer="ones")(Masking()(t)))
    model.compile("sgd", "mse", metrics=["mae"])
    assert model.evaluate(x, np.zeros((4, 1)), verbose=0) == pytest.approx([(1 + 4) / 2, 3 / 2])
    history = model.fit(x, np.zeros((4, 1)), verbose=0).history
    assert history["loss"] == pytest.approx([(1 + 4) / 2])


def test_vectors_within_steps_are_masked_one_by_one():
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("float32")
    x[0, 1], x[1, 2, 1], x[0, 0, 0] = 0, 0, 0
    y = Masking()(x)
    np.testing.assert_array_equal(y._keras_mask, (x != 0).any(axis=-1))
    check_layer(Masking(dtype="float64"), x.astype("float64") + 0.5).raise_if_failed()

    rows = Sequential([Input((3, 4, 5)), Masking(), TimeDistributed(LSTM(2))])  # each row of a step is a step within
    row = Sequential([Input((4, 5)), Masking(), rows.layers[1].layer])
    wanted = row.predict(x.reshape(6, 4, 5), verbose=0).reshape(2, 3, 2)
    np.testing.assert_allclose(rows.predict(x, verbose=0), wanted, atol=1e-6)

    values = Sequential([Input((3, 4, 5)), Masking(), Dense(1, use_bias=False)])
    values.compile("sgd", "mse")
    counted = values.predict(x, verbose=0)[(x != 0).any(axis=-1)]
    assert values.evaluate(x, np.zeros((2, 3, 4, 1)), verbose=0) == pytest.approx((counted**2).mean(), rel=1e-5)


@pytest.mark.parametrize("behind", [LSTM(2, return_sequences=True), RNN(SimpleRNNCell(2), return_sequences=True)])
def test_a_step_counts_if_anything_of_it_does(behind):
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("float32")
    x[0, 1], x[1, 2, 1] = 0, 0
    model = Sequential([Input((3, 4, 5)), Masking(), TimeDistributed(Flatten()), behind])
    model.compile("sgd", "mse")
    found = model.layers[-1](x.reshape(2, 3, 20), mask=np.array([[True, False, True], [True, True, True]]))
    np.testing.assert_allclose(model.predict(x, verbose=0), found, atol=1e-6)
    loss = np.asarray(found)[[0, 0, 1, 1, 1], [0, 2, 0, 1, 2]]
    assert model.evaluate(x, np.zeros((2, 3, 2)), verbose=0) == pytest.approx((loss**2).mean(), rel=1e-5)


def test_a_mask_travels_through_layers_that_let_it():
    x = Input((3, 2))
    assert Activation("relu")(Identity()(Masking()(x))).masked
    y = Activation("relu")(Masking()(x))
    _, cache = Model(x, y).forward(np.array([[[0, 0], [1, 0], [0, 0]]], "float32"))
    np.testing.assert_array_equal(cache.masks[0], [[False, True, False]])


def test_the_loss_of_masked_steps_does_not_count():
    x = np.array([[[1.0], [0]], [[2], [3]]], "float32")
    model = Model(t := Input((2, 1)), Activation("linear")(Masking()(t)))
    model.compile("sgd", "mse", metrics=["mae"])
    loss, mae = model.evaluate(x, np.zeros((2, 2, 1)), verbose=0)
    assert loss == pytest.approx((1 + 4 + 9) / 3) and mae == pytest.approx((1 + 2 + 3) / 3)
    parts = Model(t := Input((2, 1)), Dense(1, "linear", False, "ones")(Masking()(t)))
    assert not parts.outputs[0].masked or parts.outputs[0].masked  # Dense decides


def test_an_array_brings_its_mask_into_the_next_layer():
    x = np.array([[[0, 0], [1, 2], [0, 0]]], "float32")
    y = Masking()(x)
    np.testing.assert_array_equal(y._keras_mask, [[False, True, False]])
    pooled = GlobalAveragePooling1D()(y)
    np.testing.assert_array_equal(pooled, [[1, 2]])  # the mean of what counts
    assert pooled._keras_mask is None
    assert (y + 1)._keras_mask is None  # a computation is no layer
    np.testing.assert_array_equal(GlobalAveragePooling1D()(y, mask=np.array([[True, True, False]])), [[0.5, 1]])


def test_embedding_supports_masking_where_it_makes_one():
    assert Embedding(4, 2, mask_zero=True).supports_masking and not Embedding(4, 2).supports_masking
    np.testing.assert_array_equal(Embedding(4, 2, mask_zero=True)(np.array([[1, 0]]))._keras_mask, [[True, False]])
