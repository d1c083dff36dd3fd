"""Sorting, the largest, quantiles and places."""

import numpy as np
import pytest

from scratchnet import layers, ops
from scratchnet.models import Model

X = np.array([[3.0, 1.0, 2.0, 1.0], [0.5, 4.0, -1.0, 2.5]])


@pytest.mark.parametrize("axis", [None, 0, -1])
def test_sorting(axis):
    np.testing.assert_array_equal(ops.sort(X, axis), np.sort(X, axis))
    np.testing.assert_array_equal(ops.argsort(X, axis), np.argsort(X, axis, kind="stable"))


def test_the_largest():
    values, places = ops.top_k([1.0, 3.0, 2.0, 3.0], 3)
    assert values.tolist() == [3, 3, 2] and places.tolist() == [1, 3, 2]
    with pytest.raises(ValueError, match="k=5 of 4"):
        ops.top_k(X, 5)
    assert ops.in_top_k([1, 2], X, 2).tolist() == [False, False]
    assert ops.in_top_k([1, 3], X, 3).tolist() == [True, True]  # of two equal ones both


def test_argpartition():
    places = ops.argpartition(X, 1)
    assert (np.take_along_axis(X, places, -1)[:, 1] == np.sort(X)[:, 1]).all()


@pytest.mark.parametrize("method", ["linear", "lower", "higher", "nearest", "midpoint"])
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("q", [0.0, 0.3, 1.0, [0.25, 0.5]])
def test_quantiles_are_numpy_s(q, axis, keepdims, method):
    expected = np.quantile(X, q, axis, method=method, keepdims=keepdims)
    np.testing.assert_allclose(ops.quantile(X, q, axis, method, keepdims), expected, rtol=1e-12)
    np.testing.assert_allclose(ops.percentile(X, 100 * np.array(q), axis, method, keepdims), expected, rtol=1e-12)


def test_infinity_is_a_number_among_others():
    x = np.array([[1.0, np.inf, np.inf], [-np.inf, -np.inf, 2.0], [-np.inf, 0.0, np.inf]])
    assert ops.median(x, 1).tolist() == [np.inf, -np.inf, 0.0]
    assert ops.quantile(x, [0.0, 1.0], 1).tolist() == [[1.0, -np.inf, -np.inf], [np.inf, 2.0, np.inf]]
    assert ops.quantile(x, 0.25, 1, "lower").tolist() == [1.0, -np.inf, -np.inf]
    assert ops.quantile(x, 0.25, 1, "higher").tolist() == [np.inf, -np.inf, 0.0]
    assert ops.nanmedian(np.where(x == 0, np.nan, x)[:2], 1).tolist() == [np.inf, -np.inf]
    assert ops.nanquantile([[1.0, np.nan, np.inf]], 0.3, 1, "lower").tolist() == [1.0]


def test_quantiles_know_their_methods():
    with pytest.raises(ValueError, match="method='cubic'"):
        ops.quantile(X, 0.5, method="cubic")


def test_places():
    np.testing.assert_array_equal(ops.searchsorted([1.0, 2.0, 2.0], [0.0, 2.0, 9.0]), [0, 1, 3])
    np.testing.assert_array_equal(ops.searchsorted([1.0, 2.0, 2.0], [0.0, 2.0, 9.0], "right"), [0, 3, 3])
    np.testing.assert_array_equal(ops.digitize([0.5, 1.0, 9.0], [1.0, 2.0]), [0, 1, 2])
    np.testing.assert_array_equal(ops.isin([1, 2], [2, 3]), [False, True])
    np.testing.assert_array_equal(ops.isin([1, 2], [2, 3], invert=True), [True, False])


def test_in_top_k_of_sequences():
    predictions = np.array([[[0.1, 0.9, 0.3], [0.2, 0.1, 0.7]]])
    targets = np.array([[2, 1]])
    assert [ops.in_top_k(targets, predictions, k).tolist() for k in (1, 2, 3)] == [
        [[False, False]],
        [[True, False]],
        [[True, True]],
    ]
    assert ops.in_top_k(targets[:, :1], predictions[:, :1], 2).shape == (1, 1)


def test_a_quantile_of_what_is_not_a_number_is_none():
    x = np.array([[1, np.nan, 3], [4, 5, 6]], "float32")
    np.testing.assert_array_equal(ops.median(x, 1), [np.nan, 5])
    np.testing.assert_array_equal(ops.quantile(x, [0.0, 1.0], 1), [[np.nan, 4], [np.nan, 6]])
    assert np.isnan(ops.percentile(x, 50))
    np.testing.assert_array_equal(ops.median(np.array([1, np.inf, 3])), 3)


@pytest.mark.parametrize("axis", [None, 0, 1, 2, (0, 1), (0, 2), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("q", [0.3, [0.25, 0.5], [[0.1, 0.2], [0.6, 0.9]]])
def test_quantiles_of_a_batch_along_axes_of_unknown_size(axis, keepdims, q):
    x = layers.Input((None, 3), dtype="float64")
    array = np.random.default_rng(0).normal(size=(4, 5, 3))
    expected = np.quantile(array, q, axis, keepdims=keepdims)
    for quantile in (ops.quantile, ops.nanquantile):
        np.testing.assert_allclose(quantile(array, q, axis, keepdims=keepdims), expected, rtol=1e-12)
        z = quantile(x, q, axis, keepdims=keepdims)
        assert len(z.shape) == expected.ndim
        np.testing.assert_allclose(Model(x, z, dtype="float64")(array), expected, rtol=1e-12)


def test_the_median_of_a_whole_batch_has_a_gradient():
    x = layers.Input((3,))
    model, array = Model(x, ops.median(x)), np.array([[1.0, 5.0, 2.0], [7.0, 3.0, 9.0]], "float32")
    y, cache = model.forward(array)
    dx, _ = model.backward(np.float32(2.0), cache)
    assert y == 4 and dx.tolist() == [[0, 1, 0], [0, 1, 0]]


def test_nan_is_the_least_of_predictions_and_more_than_all_classes_are_enough():
    predictions = np.array([[0.1, np.nan, 0.3], [0.1, 0.2, 0.3]], "float32")
    assert ops.in_top_k([1, 0], predictions, 2).tolist() == [False, False]
    assert ops.in_top_k([1, 0], predictions, 9).tolist() == [True, True]


@pytest.mark.parametrize("dtype", ["uint8", "int32", "bool"])
def test_the_largest_of_integers_and_booleans(dtype):
    values, places = ops.top_k(np.array([0, 1, 0, 1], dtype), 4)
    assert values.tolist() == [1, 1, 0, 0] and places.tolist() == [1, 3, 0, 2] and values.dtype == dtype


def test_nan_is_the_largest_of_all():
    assert ops.top_k([1.0, np.nan, 3.0], 2)[1].tolist() == [1, 2]
