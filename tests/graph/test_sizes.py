"""Sizes that are not known yet: computed with as integers, and as numbers among tensors."""

import numpy as np
import pytest

from scratchnet import ops
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
