"""erf, erfc and quantiles against Python's own, one number at a time."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from scratchnet import special

X = np.concatenate([np.linspace(-7, 7, 999), [0.46875, -0.46875, 4.0, -4.0, 1e-300, 0.0, 26.0]])
P = np.concatenate([np.linspace(1e-9, 1 - 1e-9, 999), [1e-300, 1e-20, 1e-12, 0.075, 0.925]])


def test_erf_is_right_to_the_last_digit():
    np.testing.assert_allclose(special.erf(X), [math.erf(x) for x in X], rtol=0, atol=3e-16)


def test_erfc_keeps_its_digits_where_it_is_small():
    np.testing.assert_allclose(special.erfc(X), [math.erfc(x) for x in X], rtol=1e-13)


def test_quantiles_of_the_normal_distribution():
    np.testing.assert_allclose(special.normal_quantile(P), [NormalDist().inv_cdf(p) for p in P], rtol=1e-14, atol=1e-16)


def test_erfinv_is_the_inverse():
    x = np.array([-0.999999, -0.5, 1e-12, 0.3, 0.99])
    np.testing.assert_allclose(special.erf(special.erfinv(x)), x, rtol=1e-14)


@pytest.mark.parametrize(
    ("function", "x", "y"),
    [
        (special.erf, [np.inf, -np.inf, np.nan], [1, -1, np.nan]),
        (special.erfc, [np.inf, -np.inf, np.nan], [0, 2, np.nan]),
        (special.normal_quantile, [0, 1, np.nan, 2], [-np.inf, np.inf, np.nan, np.nan]),
        (special.erfinv, [-1, 1, np.nan, 2], [-np.inf, np.inf, np.nan, np.nan]),
    ],
)
def test_at_the_ends_and_outside(function, x, y):
    np.testing.assert_array_equal(function(np.array(x, float)), np.array(y, float))


@pytest.mark.parametrize("function", [special.erf, special.erfc, special.erfinv, special.normal_quantile])
def test_the_dtype_stays(function):
    x = np.array([0.1, 0.2, 0.9], np.float32)
    assert function(x).dtype == np.float32
    np.testing.assert_allclose(function(x), function(x.astype(float)), rtol=1e-6)


def test_the_bessel_function_of_order_1():
    # Abramowitz and Stegun, table 9.8
    x = np.array([0.0, 0.5, 1.0, 5.0, -5.0, 20.0])
    expected = [
        0.0,
        0.2578943053908963,
        0.5651591039924851,
        24.335642142450524,
        -24.335642142450524,
        42454973.385127773,
    ]
    np.testing.assert_allclose(special.bessel_i1(x), expected, rtol=1e-13, atol=1e-15)
    assert special.bessel_i1(x.astype("float32")).dtype == np.float32 and special.bessel_i1(np.zeros(0)).size == 0
    large = np.array([300.0])
    slope = (np.i0(large * (1 + 1e-7)) - np.i0(large * (1 - 1e-7))) / (large * 2e-7)
    np.testing.assert_allclose(special.bessel_i1(large), slope, rtol=1e-8)
