"""Losses of symbolic tensors against the values and gradients that the losses have for arrays."""

import numpy as np
import pytest

from scratchnet import losses, ops
from scratchnet.gradient_check import check_layer
from scratchnet.gradient_check.catalogue.losses import cases
from scratchnet.layers import Dense, Input, Layer
from scratchnet.losses.of_tensors import FORMULAS
from scratchnet.models import Model

CASES = [case for case in cases(np.random.default_rng(0)) if type(case[0]).__name__ in FORMULAS]
WEIGHTS = np.random.default_rng(1).uniform(0.5, 2.0, 5)


class Measured(Layer):
    """Adds a loss of its two inputs to what is minimized."""

    def __init__(self, loss, **kwargs):
        super().__init__(**kwargs)
        self.loss = loss

    def call(self, y_true, y_pred, weights=None):
        self.add_loss(self.loss(y_true, y_pred, weights))
        return y_pred


def test_every_formula_is_tried():
    assert {type(loss).__name__ for loss, *_ in CASES} == set(FORMULAS)


@pytest.mark.parametrize("case", CASES, ids=[repr(loss) for loss, *_ in CASES])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_values_and_gradients_are_those_of_arrays(case, reduction, weights):
    loss, y_true, y_pred = case
    if weights is not None and isinstance(loss, (losses.Dice, losses.Tversky)) and loss.axis is None:
        pytest.skip("has one value for all samples")
    loss = type(loss).from_config({**loss.get_config(), "reduction": reduction})
    expected, cache = loss.forward(y_true, y_pred, weights)
    arrays = [y_true, y_pred] if weights is None else [y_true, y_pred, weights]
    tensors = [Input(a.shape[1:], dtype=a.dtype.name) for a in arrays]
    model = Model(tensors, Measured(loss, dtype="float64")(*tensors), dtype="float64")
    y, found = model.forward(arrays)
    np.testing.assert_allclose(model.added_loss(found), expected, rtol=1e-6)
    dx, _ = model.backward(np.zeros_like(y), found)
    np.testing.assert_allclose(dx[1], loss.backward(cache), rtol=1e-6, atol=1e-9)


class TwoSides(Layer):
    """How far two projections of x are from each other: both sides of the loss are trained."""

    def __init__(self, loss, **kwargs):
        super().__init__(**kwargs)
        self.left, self.right = (Dense(3, "sigmoid", dtype=self.dtype) for _ in range(2))
        self.loss = loss

    def call(self, x):
        return ops.expand_dims(self.loss(self.left(x), self.right(x)), -1)


@pytest.mark.parametrize("name", ["mean_squared_error", "binary_crossentropy", "kl_divergence", "cosine_similarity"])
def test_both_arguments_have_a_derivative(name):
    layer = TwoSides(getattr(losses, name), dtype="float64")
    check_layer(layer, np.random.default_rng(0).normal(size=(4, 2))).raise_if_failed()


def test_a_number_stands_for_all_targets():
    """As in a regularizer that holds mean activities to a target (sparse autoencoders)."""
    x = Input((3,), dtype="float64")
    model = Model(x, losses.kl_divergence(0.3, x), dtype="float64")
    data = np.random.default_rng(0).uniform(0.1, 0.9, (4, 3))
    expected = (0.3 * np.log(0.3 / data)).sum(-1)
    np.testing.assert_allclose(model.forward(data)[0], expected, rtol=1e-12)


def test_a_loss_of_one_s_own():
    class Quartic(losses.Loss):
        def call(self, y_true, y_pred):
            return ops.mean((y_pred - y_true) ** 4, axis=-1)

    x = Input((2,))
    model = Model(x, Measured(Quartic())(ops.zeros_like(x), x))
    assert model.added_loss(model.forward(np.full((3, 2), 2.0, "float32"))[1]) == 16


def test_what_has_no_formula_is_refused():
    x = Input((2, 4))
    with pytest.raises(TypeError, match="NTXent .*: cannot be computed from symbolic tensors: write it with call"):
        Measured(losses.NTXent())(x, x)

    class Own(losses.MeanSquaredError):
        def values(self, y_true, y_pred):
            return super().values(y_true, 2 * y_pred)

    with pytest.raises(TypeError, match="Own .*: cannot be computed from symbolic tensors"):
        Own()(x, x)


def test_labels_that_are_ignored_and_weights_of_the_batch():
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    y_true, y_pred = np.array([[0, -1], [2, 1]]), np.random.default_rng(0).uniform(0.1, 0.9, (2, 2, 3))
    tensors = [Input((2,), dtype="int64"), Input((2, 3), dtype="float64")]
    model = Model(tensors, Measured(loss, dtype="float64")(*tensors))
    found = model.added_loss(model.forward([y_true, y_pred])[1])
    np.testing.assert_allclose(found, loss(y_true, y_pred), rtol=1e-6)
