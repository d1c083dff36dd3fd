"""Sizes that are not known yet: computed with as integers, and as numbers among tensors."""

import numpy as np
import pytest

from scratchnet import layers, ops
from scratchnet.layers import Input
from scratchnet.models import Model, clone_model


@pytest.mark.parametrize(
    "compute",
    [
        lambda n: n + 3,
        lambda n: 3 + n,
        lambda n: n - 1,
        lambda n: 9 - n,
        lambda n: n * 2,
        lambda n: 2 * n,
        lambda n: n // 2,
        lambda n: 17 // n,
        lambda n: n % 2,
        lambda n: 17 % n,
        lambda n: (n + n) * 3 // 2 - n % 3,
    ],
)
def test_they_are_computed_with_as_integers(compute):
    formula = compute(ops.shape(Input((2,)))[0])
    assert [formula.of_rows(rows) for rows in (1, 4, 5)] == [compute(rows) for rows in (1, 4, 5)]


def test_they_tell_what_they_stand_for():
    x = Input((2,), name="x")
    assert repr(ops.shape(x)[0] * 2 + 1) == "((shape(x)[0] * 2) + 1)"
    with pytest.raises(TypeError):
        ops.shape(x)[0] + True


def test_among_tensors_they_are_numbers_and_the_rows_of_the_whole_batch():
    x = Input((2,))
    rows = ops.shape(x)[0]
    model = Model(x, [x * rows, x / rows, rows / (x + 1), 0.5 * rows + x])
    values = np.arange(8, dtype="float32").reshape(4, 2)
    for found, expected in zip(model(values), (values * 4, values / 4, 4 / (values + 1), 2 + values)):
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_array_equal(clone_model(model)(values)[0], values * 4)


def test_a_copied_model_asks_its_own_tensors():
    x = Input((2, 3))
    model = Model(x, ops.reshape(x, (ops.shape(x)[0] * 2, 3)))
    values = np.arange(12, dtype="float32").reshape(2, 2, 3)
    np.testing.assert_array_equal(clone_model(model)(values), values.reshape(4, 3))


def test_what_is_flattened_goes_back_to_the_rows_of_the_batch():
    class Scaled(layers.Layer):
        """A layer that is given rows of a flattened batch."""

        def call(self, x):
            return x * 2.0

    class Quantized(layers.Layer):
        def __init__(self):
            super().__init__()
            self.dense, self.scaled = layers.Dense(3, kernel_initializer="ones"), Scaled()

        def call(self, x):
            N = ops.shape(x)[0]
            rows = self.scaled(self.dense(ops.reshape(x, (-1, 3))))
            again = ops.reshape(rows, (ops.shape(rows)[0], 3))
            return ops.reshape(again, (N, 4, 3)) + ops.reshape(ops.reshape(x, (-1,)), ops.shape(x))

    inputs = layers.Input((4, 3))
    model = Model(inputs, Quantized()(inputs))
    x = np.random.default_rng(0).normal(size=(5, 4, 3)).astype("float32")
    np.testing.assert_allclose(model(x), 2 * x.sum(-1, keepdims=True) + x, rtol=1e-6)
    N, S = ops.shape(inputs)[0], ops.reshape(inputs, (-1, 3))
    functional = Model(inputs, ops.reshape(layers.Dense(3, kernel_initializer="ones")(S), (N, 4, 3)))
    np.testing.assert_allclose(functional.predict(x, verbose=0), x.sum(-1, keepdims=True) + 0 * x, rtol=1e-6)
    assert functional.compute_output_shape((None, 4, 3)) == (None, 4, 3)

    class Flat(layers.Layer):
        def call(self, x):
            return ops.reshape(x, (-1, 3))

    behind = Model(inputs, ops.reshape(Flat()(inputs), (N, 12)))
    np.testing.assert_array_equal(behind(x), x.reshape(5, 12))
    np.testing.assert_array_equal(behind.predict(x, batch_size=2, verbose=0), x.reshape(5, 12))
