"""Batch normalization with a relu and a pooling behind it: what the kernels say one after the other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")

from scratchnet.kernels import operations  # noqa: E402

with_numba, loops = operations("numba"), operations("loops")
INF = np.inf
POOL = (2, 2), (2, 2), ((0, 0), (0, 0))


def arrays(shape, dtype, seed):
    """x, and of each channel mean, s, gamma, beta, along_1, along_x_hat."""
    rng, C = np.random.default_rng(seed), shape[-1]
    x = rng.normal(1, 1, shape).astype(dtype)
    gamma, beta = rng.normal(size=(2, C)).astype(dtype)
    return x, rng.normal(size=C), rng.uniform(0.5, 2, C), gamma, beta, *rng.normal(size=(2, C))


def check(found, wanted, dtype):
    assert found.shape == wanted.shape and found.dtype == wanted.dtype
    rounding = 2e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(found, wanted, rtol=rounding, atol=rounding * np.abs(wanted).max(initial=1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(
    shape=st.tuples(st.integers(1, 70), st.sampled_from([1, 3, 16, 33, 64, 70])),
    bounds=st.sampled_from([(0.0, INF), (0.0, 6.0), (-0.5, 0.5), (-INF, INF)]),
    seed=st.integers(0, 99),
)
def test_what_is_cut_off_has_no_gradient(dtype, shape, bounds, seed):
    x, mean, s, gamma, beta, *along = arrays(shape, dtype, seed)
    dy = np.random.default_rng(seed + 1).normal(size=shape).astype(dtype)
    groups = mean[None], s[None]
    z = with_numba.normalize_forward(x[None], *groups, gamma, beta)[0]
    dz = np.where((bounds[0] < z) & (z < bounds[1]), dy, 0).astype(dtype)
    known = dy, x, mean, s, gamma, beta, *bounds
    sums = loops.channel_products(dz[None], x[None], *groups)
    for found, (wanted,) in zip(with_numba.bounded_products(*known), sums):
        check(found, wanted, dtype)
    (dx,) = loops.normalize_backward(dz[None], x[None], *groups, gamma, *(a[None] for a in along))
    check(with_numba.bounded_backward(*known, *along), dx, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(2, 7), st.integers(2, 7), st.sampled_from([1, 3, 16, 33])),
    bounds=st.sampled_from([(0.0, INF), (0.0, 6.0), (-0.5, 0.5), (-INF, INF)]),
    seed=st.integers(0, 99),
)
def test_of_a_square_one_has_a_gradient(dtype, shape, bounds, seed):
    x, mean, s, gamma, beta, *along = arrays(shape, dtype, seed)
    rows, groups = x.reshape(1, -1, shape[-1]), (mean[None], s[None])
    z = with_numba.normalize_forward(rows, *groups, gamma, beta).reshape(shape)
    best, argmax = loops.max_pool2d_forward(z, *POOL)
    y, places = with_numba.normalize_max_pool_forward(x, mean, s, gamma, beta, *bounds)
    np.testing.assert_array_equal(y, np.clip(best, *np.array(bounds, dtype)))
    np.testing.assert_array_equal(places, np.where((bounds[0] < best) & (best < bounds[1]), argmax + 1, 0))
    assert places.dtype == np.uint8
    dy = np.random.default_rng(seed + 1).normal(size=y.shape).astype(dtype)
    dz = loops.max_pool2d_backward(np.where(places > 0, dy, 0).astype(dtype), argmax, shape, *POOL).reshape(rows.shape)
    known = dy, places, x, mean, s
    for found, (wanted,) in zip(
        with_numba.normalize_max_pool_products(*known), loops.channel_products(dz, rows, *groups)
    ):
        check(found, wanted, dtype)
    dx = loops.normalize_backward(dz, rows, *groups, gamma, *(a[None] for a in along)).reshape(shape)
    check(with_numba.normalize_max_pool_backward(*known, gamma, *along), dx, dtype)


@pytest.mark.parametrize("place", range(4))
def test_nan_is_the_largest_of_its_square(place):
    x, mean, s, gamma, beta, *_ = arrays((1, 2, 2, 16), "float32", 0)
    x.reshape(4, 16)[place, 3] = np.nan
    for low in (0.0, -INF):
        y, places = with_numba.normalize_max_pool_forward(x, mean, s, gamma, beta, low, INF)
        assert np.isnan(y[0, 0, 0]).nonzero()[0].tolist() == [3]
        assert places[0, 0, 0, 3] == (0 if low == 0 else place + 1)  # as of a relu, whose slope is 0 at NaN


def test_nothing_has_no_sums():
    x = np.ones((0, 16), "float32")
    of = np.ones((4, 16))
    of_1, of_x_hat = with_numba.bounded_products(x, x, *of, 0.0, INF)
    assert not of_1.any() and not of_x_hat.any()
    assert with_numba.bounded_backward(x, x, *of, 0.0, INF, *of[:2]).shape == (0, 16)
