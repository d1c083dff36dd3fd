"""Scaled dot products, where a backend has them in one pass: what the equations say, and their adjoints."""

import numpy as np
import pytest

from scratchnet.gradient_check import numeric_gradient, relative_error
from scratchnet.kernels import using_backend
from scratchnet.layers import Dropout
from scratchnet.layers.attention import scaled_dot_product
from tests.kernels.every_backend import FAST

SIZES = [(2, 3, 5, 2, 3, 4), (3, 28, 28, 4, 16, 16), (1, 1, 9, 1, 8, 40), (2, 20, 1, 3, 33, 5), (0, 3, 2, 2, 4, 4)]


def arrays(N, T, S, H, D, E, dtype="float64"):
    """q, k, v and dy as layers have them: views of (N, T, heads, D)."""
    rng = np.random.default_rng(0)
    shapes = (N, T, H, D), (N, S, H, D), (N, S, H, E), (N, T, H, E)
    return [rng.normal(size=shape).astype(dtype).swapaxes(1, 2) for shape in shapes]


def attend(q, k, v, dy, dP=None):
    y, cache = scaled_dot_product.attention_forward(q, k, v, None, Dropout(0), True, blind_sees_nothing=False)
    return y, cache.P, *scaled_dot_product.attention_backward(dy, dP, cache, Dropout(0))


def with_numpy(*given):
    with using_backend("numpy"):
        return attend(*given)


@pytest.mark.parametrize("backend", FAST)
@pytest.mark.parametrize("dtype, tolerance", [("float32", 2e-5), ("float64", 1e-13)])
@pytest.mark.parametrize("sizes", SIZES)
def test_it_is_what_the_equations_say(backend, dtype, tolerance, sizes):
    given = arrays(*sizes, dtype)
    kept = [array.copy() for array in given]
    with using_backend(backend):
        found = attend(*given)
    for result, wanted in zip(found, with_numpy(*given)):
        assert result.dtype == dtype
        np.testing.assert_allclose(result, wanted, rtol=0, atol=tolerance)
    for array, before in zip(given, kept):
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("backend", FAST)
def test_an_adjoint_of_the_scores_is_counted_too(backend):
    given = arrays(*SIZES[0])
    dP = np.random.default_rng(1).normal(size=(2, 2, 3, 5))
    with using_backend(backend):
        found = attend(*given, dP)
    for result, wanted in zip(found, with_numpy(*given, dP)):
        np.testing.assert_allclose(result, wanted, rtol=0, atol=1e-13)


@pytest.mark.parametrize("backend", FAST)
def test_backward_is_the_derivative(backend):
    q, k, v, dy = arrays(2, 3, 4, 2, 3, 2)
    with using_backend(backend):
        adjoints = attend(q, k, v, dy)[2:]
        for x, dx in zip((q, k, v), adjoints):
            assert relative_error(numeric_gradient(lambda: float((attend(q, k, v, dy)[0] * dy).sum()), x), dx) < 1e-8


@pytest.mark.parametrize("backend", FAST)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_scores_and_nan(backend, dtype):
    q, k, v, _ = arrays(2, 3, 4, 1, 2, 2, dtype)
    q *= 1000
    q[1, 0, 2, 0] = np.nan
    with using_backend(backend):
        y, cache = scaled_dot_product.attention_forward(q, k, v, None, Dropout(0), False, blind_sees_nothing=False)
    np.testing.assert_allclose(cache.P[0].sum(axis=-1), 1, rtol=1e-6)
    np.testing.assert_array_equal(np.isnan(y).any(axis=-1), [[[False] * 3], [[False, False, True]]])
