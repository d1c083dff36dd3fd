"""Reductions without nan are NumPy's."""

import numpy as np
import pytest

from scratchnet import ops

X = np.array([[[1.0, np.nan, 3.0], [4.0, 2.0, np.nan]], [[-1.0, 0.5, 2.0], [np.nan, np.nan, 7.0]]])


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", "nansum nanprod nanmean nanvar nanstd nanmax nanmin".split())
def test_values_are_numpy_s(name, axis, keepdims):
    expected = getattr(np, name)(X, axis=axis, keepdims=keepdims)
    np.testing.assert_allclose(getattr(ops, name)(X, axis, keepdims), expected, rtol=1e-12)


@pytest.mark.parametrize("axis", [None, 0, -1])
def test_places_and_cumulative_ones(axis):
    np.testing.assert_array_equal(ops.nanargmax(X, axis), np.nanargmax(X, axis))
    np.testing.assert_array_equal(ops.nanargmin(X, axis), np.nanargmin(X, axis))
    np.testing.assert_allclose(ops.nancumsum(X, axis), np.nancumsum(X, axis))
    np.testing.assert_allclose(ops.nancumprod(X, axis), np.nancumprod(X, axis))


def test_where_all_are_nan():
    x = np.array([[np.nan, np.nan], [1.0, 2.0]])
    assert ops.nansum(x, 1).tolist() == [0, 3] and ops.nanprod(x, 1).tolist() == [1, 2]
    assert np.isnan(ops.nanmax(x, 1)).tolist() == np.isnan(ops.nanmin(x, 1)).tolist() == [True, False]
    assert ops.nanargmax(x, 1).tolist() == [-1, 1]
    with np.errstate(invalid="ignore"):
        assert np.isnan(ops.nanmean(x, 1)).tolist() == [True, False]


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)])
@pytest.mark.parametrize("method", ["linear", "lower", "higher", "nearest", "midpoint"])
def test_quantiles_are_numpy_s(axis, method):
    for q in (0.3, [0.0, 0.5, 0.9]):
        for keepdims in (False, True):
            expected = np.nanquantile(X, q, axis=axis, method=method, keepdims=keepdims)
            np.testing.assert_allclose(ops.nanquantile(X, q, axis, method, keepdims), expected)
    np.testing.assert_allclose(ops.nanpercentile(X, 30, axis), np.nanpercentile(X, 30, axis=axis))
    np.testing.assert_allclose(ops.nanmedian(X, axis, True), np.nanmedian(X, axis=axis, keepdims=True))


def test_the_quantile_of_nothing_is_nan():
    x = np.array([[np.nan, np.nan], [1.0, 3.0]])
    assert np.isnan(ops.nanmedian(x, 1)).tolist() == [True, False]
    with pytest.raises(ValueError, match="method='middle'"):
        ops.nanquantile(x, 0.5, method="middle")


def test_the_place_of_the_smallest_of_nothing():
    x = np.array([[np.nan, np.nan, np.nan], [3.0, np.nan, 1.0]])
    assert ops.nanargmin(x, 1).tolist() == [-1, 2] and ops.nanargmin(x, 1, keepdims=True).tolist() == [[-1], [2]]
    assert ops.nanargmin(x, 0).tolist() == [1, -1, 1] and ops.nanargmin(x) == 5
    assert ops.nanstd(x[1:], 1).shape == (1,)


def test_the_median_of_integers_and_booleans_lies_between_them():
    assert ops.nanmedian(np.array([1, 2, 3, 4])) == 2.5 and ops.nanmedian(np.array([True, False])) == 0.5


@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool"])
@pytest.mark.parametrize("name", "sum prod mean var std max min argmax argmin cumsum cumprod".split())
def test_of_integers_it_is_the_plain_reduction(name, dtype):
    x = np.array([[1, 0, 2], [3, 4, 5]]).astype(dtype)
    for axis in (None, 1):
        plain, without = getattr(ops, name)(x, axis), getattr(ops, f"nan{name}")(x, axis)
        np.testing.assert_array_equal(plain, without)
        assert plain.dtype == without.dtype


@pytest.mark.parametrize("dtype", ["float16", "float64"])
@pytest.mark.parametrize("name", ["nanmean", "nanvar", "nanstd"])
def test_a_mean_is_of_the_dtype_of_what_it_is_of(name, dtype):
    assert getattr(ops, name)(np.array([1, np.nan, 3], dtype)).dtype == dtype
