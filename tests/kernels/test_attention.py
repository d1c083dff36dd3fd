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


def attend(q, k, v, dy, dP=None, may=None, blind_sees_nothing=False):
    y, cache = scaled_dot_product.attention_forward(q, k, v, may, Dropout(0), True, blind_sees_nothing)
    return y, cache.P, *scaled_dot_product.attention_backward(dy, dP, cache, Dropout(0))


def with_numpy(*given, **masked):
    with using_backend("numpy"):
        return attend(*given, **masked)


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


def masks(N, T, S, H):
    """Where a query may look: of every shape that a mask has. Some may look nowhere."""
    rng = np.random.default_rng(2)
    yield "causal", np.tri(T, S, dtype=bool)[None, None]
    yield "padding", np.broadcast_to(rng.random((N, 1, 1, S)) < 0.6, (N, 1, T, S))
    yield "of heads", rng.random((1, H, T, S)) < 0.5
    found = rng.random((N, H, T, S)) < 0.3
    found[:, :, ::3] = False
    yield "of everything", found


@pytest.mark.parametrize("backend", FAST)
@pytest.mark.parametrize("dtype, tolerance", [("float32", 2e-5), ("float64", 1e-13)])
@pytest.mark.parametrize("sizes", [(2, 3, 5, 2, 3, 4), (3, 28, 29, 2, 8, 16)])
@pytest.mark.parametrize("blind_sees_nothing", [True, False])
def test_what_a_query_may_not_see_counts_for_nothing_there_and_back(
    backend, dtype, tolerance, sizes, blind_sees_nothing
):
    given = arrays(*sizes, dtype)
    for name, may in masks(*sizes[:4]):
        masked = {"may": may, "blind_sees_nothing": blind_sees_nothing}
        with using_backend(backend):
            found = attend(*given, **masked)
        for result, wanted in zip(found, with_numpy(*given, **masked), strict=True):
            assert result.dtype == dtype
            np.testing.assert_allclose(result, wanted, rtol=0, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("backend", FAST)
def test_a_hidden_key_may_hold_anything(backend):
    q, k, v, dy = arrays(2, 4, 5, 2, 3, 3, "float32")
    may = np.broadcast_to(np.arange(5) != 2, (2, 1, 4, 5))
    with using_backend(backend):
        wanted = attend(q, k, v, dy, may=may)
        k[:, :, 2] = np.nan
        y, P = attend(q, k, v, dy, may=may)[:2]
    np.testing.assert_allclose(y, wanted[0], rtol=0, atol=1e-6)
    assert not P[..., 2].any()


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
