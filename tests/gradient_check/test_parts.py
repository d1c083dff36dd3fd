"""A batch in parts is the batch, and who forgets the other parts is found."""

from typing import NamedTuple

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer, check_loss_parts, check_parts
from scratchnet.layers import Dense, Dropout, Layer
from scratchnet.losses import MeanSquaredError
from scratchnet.parallel.batch import sum_over_batch

F64 = {"dtype": "float64"}
X = np.random.default_rng(0).normal(size=(5, 4))


class CenteredCache(NamedTuple):
    M: float
    mean: np.ndarray


class Centered(Layer):
    """``y = x - mean of x over the batch``; remembers the mean. `alone`: takes its own part for the batch."""

    def __init__(self, alone=False, **kwargs):
        super().__init__(**kwargs)
        self.sum = (lambda *values: values) if alone else sum_over_batch

    def build(self, input_shape):
        self.add_weight("moving_mean", (input_shape[-1],), "zeros", trainable=False)

    def forward(self, x, training=False):
        M, total = self.sum(len(x), x.sum(axis=0))
        return x - total / M, CenteredCache(M, total / M)

    def backward(self, dy, cache, needs_dx=True):
        (total,) = self.sum(dy.sum(axis=0))
        return dy - total / cache.M, {}

    def remember(self, cache):
        self.state["moving_mean"][...] = cache.mean


def test_a_layer_that_looks_across_samples_passes_if_it_asks_for_the_whole_batch():
    layer = Centered(**F64)
    check_layer(layer, X, linear=("x",)).raise_if_failed()
    report = check_parts(layer, X).raise_if_failed()
    assert [row.argument for row in report.rows[:4]] == [
        "y in 2 parts",
        "dx in 2 parts",
        "added loss in 2 parts",
        "state moving_mean in 2 parts",
    ]
    assert (layer.state["moving_mean"] == 0).all()  # as it was before


def test_a_layer_that_takes_its_part_for_the_batch_is_found():
    check_layer(Centered(alone=True, **F64), X, linear=("x",)).raise_if_failed()
    report = check_parts(Centered(alone=True, **F64), X)
    failed = [row.argument for row in report.rows if not row.passed]
    assert failed == [f"{what} in {n} parts" for n in (2, 3) for what in ("y", "dx", "state moving_mean")]
    assert "whole " in str(report)


def test_gradients_add_up_and_random_numbers_belong_to_their_rows():
    check_parts(Dense(3, activation="tanh", **F64), X).raise_if_failed()
    check_parts(Dropout(0.5, seed=1, **F64), X).raise_if_failed()

    class Mean(Dense):
        def backward(self, dy, cache, needs_dx=True):
            dx, grads = super().backward(dy, cache, needs_dx)
            return dx, {name: g / len(dy) for name, g in grads.items()}

    failed = [row.argument for row in check_parts(Mean(3, **F64), X, parts=(2,)).rows if not row.passed]
    assert failed == ["kernel in 2 parts", "bias in 2 parts"]


def test_a_part_that_fails_raises_its_own_error():
    class Late(Centered):
        def forward(self, x, training=False):
            if len(x) == 2:
                raise ZeroDivisionError("the second part")
            return super().forward(x, training)

    with pytest.raises(ZeroDivisionError, match="the second part"):
        check_parts(Late(**F64), X, parts=(2,))


def test_losses_in_parts():
    y = np.random.default_rng(1).normal(size=(5, 4))
    check_loss_parts(MeanSquaredError(), y, X, sample_weight=np.arange(1.0, 6)).raise_if_failed()

    class Alone(MeanSquaredError):
        def forward(self, y_true, y_pred, sample_weight=None, count=None):
            return super().forward(y_true, y_pred, sample_weight)  # of its own part

    assert not check_loss_parts(Alone(), y, X).passed


def test_more_parts_than_rows_are_refused():
    with pytest.raises(ValueError, match="2 rows cannot be computed in 3 parts"):
        check_parts(Dense(1, **F64), X[:2])
