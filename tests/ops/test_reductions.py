"""Reductions: values are NumPy's for every axis; ties; what is written with others."""

import numpy as np
import pytest

from scratchnet import ops

X = np.random.default_rng(0).normal(size=(2, 3, 4))
AXES = [None, 0, 1, -1, (0, 2), [1, 2], (0, 1, 2)]


def tupled(axis):
    return tuple(axis) if isinstance(axis, list) else axis


@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", "sum mean max min prod var std amax amin ptp all any median".split())
def test_values_are_numpy_s(name, axis, keepdims):
    x = X > 0.3 if name in ("all", "any") else X
    z = getattr(ops, name)(x, axis=axis, keepdims=keepdims)
    np.testing.assert_allclose(z, getattr(np, name)(x, axis=tupled(axis), keepdims=keepdims), rtol=1e-12)


@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
def test_logsumexp(axis, keepdims):
    expected = np.log(np.exp(X).sum(axis=tupled(axis), keepdims=keepdims))
    np.testing.assert_allclose(ops.logsumexp(X, axis, keepdims), expected, rtol=1e-12)
    np.testing.assert_allclose(ops.logsumexp(X + 1e4, axis, keepdims), expected + 1e4, rtol=1e-12)


@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize("name", ["argmax", "argmin", "count_nonzero"])
def test_places_and_counts(name, axis):
    x = np.array([[3, 1, 3], [0, 1, 0]])
    np.testing.assert_array_equal(getattr(ops, name)(x, axis=axis), getattr(np, name)(x, axis=axis))


def test_averages():
    weights = np.array([1.0, 2.0, 0.5])
    np.testing.assert_allclose(ops.average(X), X.mean())
    np.testing.assert_allclose(ops.average(X, 1, weights), np.average(X, 1, weights))
    np.testing.assert_allclose(ops.average(X, (0, 1), X**2), np.average(X, (0, 1), X**2))
    with pytest.raises(ValueError, match="need an axis"):
        ops.average(X, weights=weights)


def test_equal_ones_share_the_adjoint_evenly():
    x = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    _, kept = ops.max.forward([x], {"axis": 1, "keepdims": False, "initial": None}, [True])
    np.testing.assert_allclose(ops.max.backward(np.array([1.0, 3.0]), kept)[0], [[0, 0.5, 0.5], [1, 1, 1]])


def test_initial_is_a_bound():
    assert ops.max(np.array([1, 2]), initial=5) == 5 and ops.min(np.array([1.0, 2.0]), initial=1.5) == 1
    _, kept = ops.max.forward([np.ones(2)], {"axis": None, "keepdims": False, "initial": 5.0}, [True])
    np.testing.assert_array_equal(ops.max.backward(np.ones(()), kept)[0], [0, 0])


def test_a_norm_of_zeros_has_no_derivative():
    _, kept = ops.sqrt.forward([ops.sum(np.zeros(2))], {}, [True])
    with np.errstate(divide="ignore", invalid="ignore"):
        assert np.isinf(ops.sqrt.backward(np.ones(()), kept)[0])


def test_products_with_a_dtype():
    assert ops.prod(np.array([2, 3]), dtype="float32").dtype == "float32"


def test_logsumexp_of_infinities():
    inf = np.inf
    with np.errstate(divide="ignore"):
        found = ops.logsumexp(np.array([[-inf, -inf], [0, -inf], [inf, 1], [-inf, inf], [np.nan, 1]], "float32"), 1)
    np.testing.assert_array_equal(found, np.array([-inf, 0, inf, inf, np.nan], "float32"))
    assert found.dtype == "float32"


def test_the_logsumexp_of_nothing_is_that_of_zero():
    with np.errstate(divide="ignore"):
        assert ops.logsumexp(np.zeros((0, 3)), 0).tolist() == [-np.inf] * 3
        assert ops.logsumexp(np.zeros(0)) == -np.inf
    np.testing.assert_allclose(ops.logsumexp(np.array([1, 2])), np.log(np.exp(1) + np.exp(2)), rtol=1e-6)
