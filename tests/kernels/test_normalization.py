"""Normalization of channels, rows and groups: every backend computes the definition, and backward is its derivative."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.gradient_check import numeric_gradient, relative_error
from tests.kernels.every_backend import EVERY, EVERY_FAST, loops

RNG = np.random.default_rng(3)


def laid_out(x, layout):
    """The same numbers in another memory layout."""
    if layout == "Fortran":
        return np.asfortranarray(x)
    if layout == "strided":
        return np.repeat(x, 2, axis=-1)[..., ::2]
    x = x[::-1].copy()[::-1] if layout == "reversed" else x.copy()
    x.flags.writeable = layout != "readonly"
    return x


def assert_alike(found, wanted, tolerance):
    assert found.shape == wanted.shape and found.dtype == wanted.dtype
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=10 * tolerance)


@EVERY_FAST
@pytest.mark.parametrize("dtype, tolerance", [("float32", 2e-5), ("float64", 1e-12)])
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 9), st.sampled_from([1, 2, 3, 5, 33, 70])),
    layout=st.sampled_from(["C", "Fortran", "strided", "reversed", "readonly"]),
    seed=st.integers(0, 99),
)
def test_backends_agree(backend, dtype, tolerance, shape, layout, seed):
    rng, (G, _, C) = np.random.default_rng(seed), shape
    x, dy = (laid_out(rng.normal(1, 1, shape).astype(dtype), layout) for _ in range(2))
    s, (mean, along_1, along_x_hat) = rng.uniform(0.5, 2, (G, C)), rng.normal(size=(3, G, C))
    gamma, beta = rng.normal(size=(2, C)).astype(dtype)
    kept = x.copy(), dy.copy()
    for name, arguments in {
        "channel_moments": (x,),
        "normalize_forward": (x, mean, s, gamma, beta),
        "channel_products": (dy, x, mean, s),
        "normalize_backward": (dy, x, mean, s, gamma, along_1, along_x_hat),
    }.items():
        found, wanted = (getattr(b, name)(*arguments) for b in (backend, loops))
        assert np.shape(found) == np.shape(wanted)
        assert np.asarray(found).dtype == np.asarray(wanted).dtype
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=10 * tolerance)
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(dy, kept[1])


@EVERY
def test_a_mean_far_from_0_costs_the_variance_no_digits(backend):
    x = 1e6 + RNG.normal(size=(2, 50, 3))
    mean, squares = backend.channel_moments(x)
    np.testing.assert_allclose(mean, x.mean(axis=1), rtol=1e-15)
    np.testing.assert_allclose(squares, 50 * x.var(axis=1), rtol=1e-9)
    x[:, 0] = -1e6  # and what is compared with is the value that is farthest away
    np.testing.assert_allclose(backend.channel_moments(x)[1], 50 * x.var(axis=1), rtol=1e-12)


@EVERY
def test_a_row_far_from_0_or_of_equal_numbers_has_its_own_variance(backend):
    x = 1e6 + RNG.normal(size=(3, 50))
    x[1, 0], x[2] = -1e6, 0.1
    gamma = np.ones(50)
    y, mean, s = backend.normalize_rows_forward(x, gamma, 0 * gamma, 1e-3)
    np.testing.assert_allclose(mean, x.mean(axis=1), rtol=1e-15)
    np.testing.assert_allclose(s, np.sqrt(x.var(axis=1) + 1e-3), rtol=1e-9)
    np.testing.assert_allclose(y, (x - mean[:, None]) / s[:, None], rtol=1e-12, atol=1e-12)


@EVERY
def test_of_no_values_there_are_no_sums(backend):
    x, one = np.ones((2, 0, 3), "float32"), np.ones((2, 3))
    for found in (*backend.channel_moments(x), *backend.channel_products(x, x, one, one)):
        np.testing.assert_array_equal(found, np.zeros((2, 3)))
    assert backend.normalize_forward(x, one, one, one[0], one[0]).shape == x.shape
    assert backend.normalize_backward(x, x, one, one, one[0], one, one).shape == x.shape


@EVERY
def test_backward_is_the_derivative(backend):
    """Through mean and variance as well, if what of gamma dy lies along 1 and along x_hat is given."""
    x, dy, gamma, beta = RNG.normal(size=(2, 6, 3)), RNG.normal(size=(2, 6, 3)), RNG.normal(size=3), RNG.normal(size=3)

    def statistics():
        mean, squares = backend.channel_moments(x)
        return mean, np.sqrt(squares / 6 + 0.1)

    def loss():
        return float((backend.normalize_forward(x, *statistics(), gamma, beta) * dy).sum())

    dbeta, dgamma = backend.channel_products(dy, x, *statistics())
    dx = backend.normalize_backward(dy, x, *statistics(), gamma, gamma * dbeta / 6, gamma * dgamma / 6)
    for array, analytic in ((x, dx), (gamma, dgamma.sum(0)), (beta, dbeta.sum(0))):
        assert relative_error(numeric_gradient(loss, array), analytic) < 1e-7


@EVERY
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(2, 12, 5), (1, 7, 33), (1, 3, 1), (1, 0, 4), (2, 1, 80)])
def test_normalized_in_one_pass_are_the_bits_of_one_step_after_the_other(backend, shape, dtype):
    rng, (G, _, C) = np.random.default_rng(5), shape
    x = rng.normal(size=shape).astype(dtype)
    (mean, s), (gamma, beta) = (rng.uniform(0.1, 2, size).astype(dtype) for size in ((2, G, C), (2, C)))
    z = (x - mean[:, None]) / s[:, None] * gamma + beta
    for low, high in ((-np.inf, np.inf), (0.0, np.inf), (0.0, 1.5)):
        y = backend.normalize_forward(x, mean, s, gamma, beta, low, high)
        assert y.dtype == dtype
        np.testing.assert_array_equal(y, np.clip(z, low, high))


@EVERY
def test_nan_stays_nan_and_infinity_is_cut_off(backend):
    x, one = np.array([np.nan, np.inf, -np.inf, 2.0]).reshape(1, 4, 1), np.ones((1, 1))
    y = backend.normalize_forward(x, 0 * one, one, one[0], 0 * one[0], 0.0, 6.0)
    np.testing.assert_array_equal(y, np.array([np.nan, 6.0, 0.0, 2.0]).reshape(1, 4, 1))


@EVERY_FAST
@pytest.mark.parametrize("centered", [True, False])
@pytest.mark.parametrize("dtype, tolerance", [("float32", 2e-5), ("float64", 1e-12)])
@given(
    shape=st.tuples(st.sampled_from([0, 1, 2, 5, 8, 23, 39]), st.sampled_from([1, 2, 7, 40])),
    layout=st.sampled_from(["C", "Fortran", "strided", "reversed", "readonly"]),
    seed=st.integers(0, 99),
)
def test_backends_agree_on_rows(backend, dtype, tolerance, centered, shape, layout, seed):
    rng = np.random.default_rng(seed)
    x, dy = (laid_out(rng.normal(1, 1, shape).astype(dtype), layout) for _ in range(2))
    gamma, beta = rng.normal(size=(2, shape[1])).astype(dtype)
    kept = x.copy(), dy.copy()
    y, mean, s = loops.normalize_rows_forward(x, gamma, beta, 0.1, centered)
    arguments = dy, x, mean, s, gamma, centered
    for found, wanted in (
        *zip(backend.normalize_rows_forward(x, gamma, beta, 0.1, centered), (y, mean, s)),
        *zip(backend.normalize_rows_backward(*arguments), loops.normalize_rows_backward(*arguments)),
    ):
        assert_alike(found, wanted, tolerance)
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(dy, kept[1])


@EVERY
def test_without_dx_the_sums_over_rows_have_the_same_bits(backend):
    x, dy, gamma = RNG.normal(size=(23, 5)), RNG.normal(size=(23, 5)), RNG.normal(size=5)
    arguments = dy, x, x.mean(axis=1), x.std(axis=1), gamma
    _, *sums = backend.normalize_rows_backward(*arguments)
    dx, *same = backend.normalize_rows_backward(*arguments, needs_dx=False)
    np.testing.assert_array_equal(sums, same)
    assert dx is None


@EVERY
@pytest.mark.parametrize("centered", [True, False])
def test_backward_of_rows_is_the_derivative(backend, centered):
    x, dy, (gamma, beta) = RNG.normal(size=(4, 5)), RNG.normal(size=(4, 5)), RNG.normal(size=(2, 5))

    def loss():
        return float((backend.normalize_rows_forward(x, gamma, beta, 0.1, centered)[0] * dy).sum())

    _, mean, s = backend.normalize_rows_forward(x, gamma, beta, 0.1, centered)
    analytic = backend.normalize_rows_backward(dy, x, mean, s, gamma, centered)
    for array, d in zip((x, gamma, beta), analytic):
        assert relative_error(numeric_gradient(loss, array), d) < 1e-7


@EVERY_FAST
@pytest.mark.parametrize("dtype, tolerance", [("float32", 2e-5), ("float64", 1e-12)])
@given(
    shape=st.tuples(
        st.integers(0, 3), st.sampled_from([0, 1, 2, 9, 41]), st.integers(1, 3), st.sampled_from([1, 5, 33])
    ),
    layout=st.sampled_from(["C", "Fortran", "strided", "reversed", "readonly"]),
    seed=st.integers(0, 99),
)
def test_backends_agree_on_groups(backend, dtype, tolerance, shape, layout, seed):
    rng, (N, M, G, of_group) = np.random.default_rng(seed), shape
    x, dy = (laid_out(rng.normal(1, 1, (N, M, G * of_group)).astype(dtype), layout) for _ in range(2))
    gamma, beta = rng.normal(size=(2, G * of_group)).astype(dtype)
    kept = x.copy(), dy.copy()
    y, mean, s = loops.normalize_groups_forward(x, gamma, beta, G, 0.1)
    arguments = dy, x, mean, s, gamma
    for found, wanted in (
        *zip(backend.normalize_groups_forward(x, gamma, beta, G, 0.1), (y, mean, s)),
        *zip(backend.normalize_groups_backward(*arguments), loops.normalize_groups_backward(*arguments)),
    ):
        assert_alike(found, wanted, tolerance)
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(dy, kept[1])


@EVERY
def test_groups_far_from_0_have_their_own_mean_and_variance(backend):
    x = (np.array([1e4, -1e4, 3e4]) + RNG.normal(size=(2, 50, 3))).astype("float32")
    _, mean, s = backend.normalize_groups_forward(x, np.ones(3, "float32"), np.zeros(3, "float32"), 3, 0.0)
    np.testing.assert_allclose(mean, x.mean(axis=1, dtype="float64"), rtol=1e-7)
    np.testing.assert_allclose(s, x.std(axis=1, dtype="float64"), rtol=1e-6)


@EVERY
def test_without_dx_the_sums_over_samples_have_the_same_bits(backend):
    x, dy, gamma = RNG.normal(size=(5, 7, 6)), RNG.normal(size=(5, 7, 6)), RNG.normal(size=6)
    arguments = dy, x, x.mean(axis=1)[:, :2], x.std(axis=1)[:, :2], gamma
    _, *sums = backend.normalize_groups_backward(*arguments)
    dx, *same = backend.normalize_groups_backward(*arguments, needs_dx=False)
    np.testing.assert_array_equal(sums, same)
    assert dx is None


@EVERY
def test_backward_of_groups_is_the_derivative(backend):
    x, dy, (gamma, beta) = RNG.normal(size=(2, 5, 4)), RNG.normal(size=(2, 5, 4)), RNG.normal(size=(2, 4))

    def loss():
        return float((backend.normalize_groups_forward(x, gamma, beta, 2, 0.1)[0] * dy).sum())

    _, mean, s = backend.normalize_groups_forward(x, gamma, beta, 2, 0.1)
    for array, d in zip((x, gamma, beta), backend.normalize_groups_backward(dy, x, mean, s, gamma)):
        assert relative_error(numeric_gradient(loss, array), d) < 1e-7
