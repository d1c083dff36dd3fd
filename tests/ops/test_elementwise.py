"""Element by element: values are NumPy's, ties and edges as in Keras."""

import math

import numpy as np
import pytest

from scratchnet import ops

X = np.array([[-2.5, -0.5, 0.0], [0.5, 1.0, 3.7]])
POSITIVE = np.array([[0.2, 0.5, 1.0], [1.5, 2.0, 3.7]])
SAME_AS_NUMPY = """
    negative absolute fabs square cbrt exp exp2 expm1 sin cos tan arctan sinh cosh arcsinh sinc floor ceil trunc sign
    isnan isinf isfinite isposinf isneginf signbit logical_not deg2rad rad2deg round
"""
OF_POSITIVE = "sqrt log log2 log10 log1p reciprocal"
OF_TWO = """
    add subtract multiply divide true_divide power mod fmod floor_divide maximum minimum fmax fmin arctan2 hypot
    logaddexp logaddexp2 equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor
    heaviside ldexp isclose
"""


def derivative(operation, *xs, **options):
    """The adjoints for a dz of ones."""
    xs = [np.asarray(x, float) for x in xs]
    operands, options = operation.bind(xs, options)
    z, kept = operation.forward(operands, options, [True] * len(operands))
    return [None if d is None else d.tolist() for d in operation.backward(np.ones(z.shape), kept)]


@pytest.mark.parametrize("name", SAME_AS_NUMPY.split())
def test_values_are_numpy_s(name):
    np.testing.assert_allclose(getattr(ops, name)(X), getattr(np, name)(X), rtol=1e-15)


@pytest.mark.parametrize("name", OF_POSITIVE.split())
def test_values_of_positive_numbers_are_numpy_s(name):
    np.testing.assert_allclose(getattr(ops, name)(POSITIVE), getattr(np, name)(POSITIVE), rtol=1e-15)


@pytest.mark.parametrize("name", "arcsin arccos arctanh".split())
def test_values_within_one_are_numpy_s(name):
    np.testing.assert_allclose(getattr(ops, name)(X / 4), getattr(np, name)(X / 4), rtol=1e-15)


@pytest.mark.parametrize("name", OF_TWO.split())
def test_values_of_two_operands_are_numpy_s(name):
    numpy_name = {"ldexp": "multiply"}.get(name, name)
    x1, x2 = (POSITIVE, X[:1]) if name in ("power", "ldexp") else (X, POSITIVE[1])
    expected = getattr(np, numpy_name)(x1, 2**x2 if name == "ldexp" else x2)
    np.testing.assert_allclose(getattr(ops, name)(x1, x2), expected, rtol=1e-14)


@pytest.mark.parametrize("name", "bitwise_and bitwise_or bitwise_xor left_shift right_shift gcd lcm".split())
def test_integers(name):
    x, y = np.array([6, 5, 12]), np.array([3, 1, 2])
    np.testing.assert_array_equal(getattr(ops, name)(x, y), getattr(np, name)(x, y))
    np.testing.assert_array_equal(ops.bitwise_not(x), ~x)


def test_the_rest_has_its_values():
    np.testing.assert_allclose(ops.rsqrt(POSITIVE), POSITIVE**-0.5)
    np.testing.assert_allclose(ops.arccosh(POSITIVE + 1), np.arccosh(POSITIVE + 1))
    np.testing.assert_allclose(ops.erf(X).ravel(), [math.erf(x) for x in X.ravel()])
    np.testing.assert_allclose(ops.erfc(X).ravel(), [math.erfc(x) for x in X.ravel()])
    np.testing.assert_allclose(ops.erf(ops.erfinv(X / 4)), X / 4)
    np.testing.assert_array_equal(ops.clip(X, -1, 2), np.clip(X, -1, 2))
    np.testing.assert_array_equal(ops.round(X, 1), np.round(X, 1))
    np.testing.assert_array_equal(ops.divide_no_nan(X, [1.0, 0.0, 2.0]), [[-2.5, 0, 0], [0.5, 0, 1.85]])
    np.testing.assert_array_equal(ops.nan_to_num([np.nan, np.inf, 1.0], nan=3.0, posinf=7.0), [3, 7, 1])
    np.testing.assert_array_equal(ops.nextafter(1.0, 2.0), np.nextafter(np.float32(1), np.float32(2)))
    assert ops.allclose([1.0, 2.0], [1.0, 2.00001]) and not ops.allclose([1.0, 2.0], [1.0, 2.1])


def test_powers():
    assert ops.power(-2.0, 2) == 4 and ops.power(-2.0, 3) == -8
    assert ops.power(np.array([2, 3]), 2).tolist() == [4, 9]
    assert derivative(ops.power, [2.0, -3.0], 0.0) == [[0, 0], 0.6931471805599453]
    assert derivative(ops.power, [0.0, -3.0], 2.0)[0] == [0, -6]
    assert derivative(ops.power, [0.0], [0.0]) == [[0], [0]]  # nan in Keras


@pytest.mark.parametrize(
    ("call", "adjoints"),
    [
        (lambda: derivative(ops.maximum, [1.0, 2.0], [1.0, 3.0]), [[1, 0], [0, 1]]),
        (lambda: derivative(ops.minimum, [1.0, 2.0], [1.0, 3.0]), [[1, 1], [0, 0]]),
        (lambda: derivative(ops.clip, [-1.0, 0.0, 1.0, 2.0], -1.0, 1.0), [[1, 1, 1, 0], 0, 1]),
        (lambda: derivative(ops.absolute, [-1.0, 0.0, 2.0]), [[-1, 0, 1]]),
        (lambda: derivative(ops.fmax, [1.0, np.nan], [1.0, 2.0]), [[1, 0], [0, 1]]),
        (lambda: derivative(ops.sinc, [0.0]), [[0]]),
        (lambda: derivative(ops.floor, [0.5]), [None]),
        (lambda: derivative(ops.divide_no_nan, [1.0], [0.0]), [[0], [0]]),
    ],
)
def test_derivatives_at_ties_and_kinks(call, adjoints):
    assert call() == adjoints


def test_the_derivative_of_a_root_is_infinite_at_zero():
    with np.errstate(divide="ignore"):
        assert derivative(ops.sqrt, [0.0]) == [[np.inf]]


def test_a_scalar_gives_an_array_without_axes():
    z = ops.exp(0.0)
    assert isinstance(z, np.ndarray) and z.shape == () and z == 1


def test_integers_are_clipped_by_bounds_that_they_cannot_reach():
    z = ops.clip(np.array([0, 7, 255], "uint8"), -1, 300)
    assert z.dtype == "uint8" and z.tolist() == [0, 7, 255]
    assert ops.clip(np.array([-128, 5], "int8"), -1000, 3).tolist() == [-128, 3]


def test_shifted_booleans_are_integers():
    assert ops.left_shift(np.array([True, False]), True).tolist() == [2, 0]
    assert ops.left_shift(np.array([True]), True).dtype == ops.right_shift(np.array([True]), True).dtype == "int32"


def test_relu_and_hard_tanh_of_integers_are_integers():
    x = np.array([-3, 0, 5], "int32")
    for z, expected in ((ops.relu(x), [0, 0, 5]), (ops.hard_tanh(x), [-1, 0, 1])):
        assert z.dtype == "int32" and z.tolist() == expected
    assert ops.relu(np.array([200], "uint8")).dtype == ops.hard_tanh(np.array([200], "uint8")).dtype == "uint8"
    assert ops.relu(np.array([True])).dtype == "int32" and ops.relu([-1.0, 2.0]).tolist() == [0, 2]
