"""Sums and products up to each element, and differences."""

import numpy as np
import pytest

from scratchnet import ops

X = np.random.default_rng(0).normal(size=(3, 4))


@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_values_are_numpy_s(name, axis):
    np.testing.assert_allclose(getattr(ops, name)(X, axis), getattr(np, name)(X, axis), rtol=1e-14)
    assert getattr(ops, name)(np.ones(2, np.int32), axis=0, dtype="float32").dtype == "float32"


@pytest.mark.parametrize(("n", "axis"), [(1, -1), (2, 0), (0, 1)])
def test_differences_are_numpy_s(n, axis):
    np.testing.assert_allclose(ops.diff(X, n, axis), np.diff(X, n, axis))


def test_areas():
    places = np.array([0.0, 1.0, 3.0, 3.5])
    trapezoid = getattr(np, "trapezoid", None) or np.trapz
    np.testing.assert_allclose(ops.trapezoid(X), trapezoid(X))
    np.testing.assert_allclose(ops.trapezoid(X, places), trapezoid(X, places))
    np.testing.assert_allclose(ops.trapezoid(X, places[:3], axis=0), trapezoid(X, places[:3], axis=0))
    np.testing.assert_allclose(ops.trapezoid(X, X**2, axis=0), trapezoid(X, X**2, axis=0))
    np.testing.assert_allclose(ops.trapezoid(X, dx=0.5, axis=0), trapezoid(X, dx=0.5, axis=0))


def test_sums_of_all_and_of_another_dtype():
    x = np.array([[1, 2], [3, 4]], "int8")
    assert ops.cumsum(x, dtype="float32").dtype == ops.cumprod(x, dtype="float32").dtype == np.float32
    assert ops.cumsum(x).tolist() == [1, 3, 6, 10] and ops.cumprod(x).tolist() == [1, 2, 6, 24]


def test_trapezoids_of_an_axis_that_is_not_the_last():
    y = np.arange(12.0).reshape(3, 2, 2) ** 2
    places = np.array([0.0, 1.0, 4.0])
    np.testing.assert_allclose(
        ops.trapezoid(y, places, axis=0),
        np.trapezoid(y, places, axis=0) if hasattr(np, "trapezoid") else np.trapz(y, places, axis=0),
    )
    np.testing.assert_allclose(ops.trapezoid(y, y + 1, axis=0), ((y[1:] + y[:-1]) / 2 * np.diff(y, axis=0)).sum(0))


def test_the_difference_of_booleans_is_whether_they_differ():
    z = ops.diff(np.array([True, True, False, True]))
    assert z.dtype == bool and z.tolist() == [False, True, True]
    assert ops.diff(np.array([True, True, False, True]), n=2).tolist() == [True, False]


def test_the_area_below_small_integers_does_not_overflow():
    assert ops.trapezoid(np.array([200, 200, 100], "uint8")) == 350
