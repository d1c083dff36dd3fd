"""Operators on symbolic tensors compute what they compute on arrays, from either side."""

import operator

import numpy as np
import pytest

from scratchnet.layers import Input
from scratchnet.models import Model

VALUES = np.array([[3.0, -2.0], [0.5, 4.0]], "float32")
OTHER = np.array([2.0, 1.5], "float32")


def computed(function, dtype="float32", values=VALUES):
    x = Input(values.shape[1:], dtype=dtype)
    return Model(x, function(x))(values)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "floordiv", "mod"])
def test_arithmetic_from_either_side(name):
    op = getattr(operator, name)
    np.testing.assert_allclose(computed(lambda x: op(x, OTHER)), op(VALUES, OTHER), rtol=1e-6)
    np.testing.assert_allclose(computed(lambda x: op(OTHER, x)), op(OTHER, VALUES), rtol=1e-6)


def test_matrix_products_from_either_side():
    matrix, columns = np.array([[1.0, 2.0], [3.0, 4.0]], "float32"), VALUES[:, :, None]
    np.testing.assert_allclose(computed(lambda x: x @ matrix), VALUES @ matrix)
    np.testing.assert_allclose(computed(lambda x: matrix @ x, values=columns), matrix @ columns)


@pytest.mark.parametrize("name", ["and_", "or_", "xor"])
def test_logic_from_either_side(name):
    op, a, b = getattr(operator, name), np.array([[True, False], [False, False]]), np.array([True, False])
    np.testing.assert_array_equal(computed(lambda x: op(x, b), "bool", a), op(a, b))
    np.testing.assert_array_equal(computed(lambda x: op(b, x), "bool", a), op(b, a))


@pytest.mark.parametrize("name", ["neg", "pos", "abs"])
def test_of_one_operand(name):
    np.testing.assert_array_equal(computed(getattr(operator, name)), getattr(operator, name)(VALUES))


def test_powers_and_rounding():
    np.testing.assert_allclose(computed(lambda x: x**2), VALUES**2)
    np.testing.assert_allclose(computed(lambda x: 2.0**x), 2.0**VALUES)
    np.testing.assert_allclose(computed(lambda x: round(x / 3, 1)), np.round(VALUES / 3, 1))


def test_a_number_without_axes_cannot_be_looped_over():
    with pytest.raises(TypeError, match="has no axes, so there is nothing to loop over"):
        list(Input(batch_shape=()))
