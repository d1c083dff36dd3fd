"""The sums of losses in one pass: right to the last digits, and silent about nothing that is wrong."""

import numpy as np
import pytest

pytest.importorskip("numba")

from scratchnet.kernels.with_numba import loss_sums  # noqa: E402
from scratchnet.kernels.with_numba.elementwise_losses import loss_and_slopes  # noqa: E402

BOTH = pytest.mark.parametrize("dtype, digits", [(np.float32, 1e-6), (np.float64, 1e-13)])


def logits(dtype, shape):
    z = np.random.default_rng(0).normal(scale=20, size=shape).astype(dtype)
    z.flat[:4] = 0, -100, 100, 1e-3
    return z


@BOTH
@pytest.mark.parametrize("size", [1, 5, 1023, 1025, 3000])
def test_squares_over_blocks_of_any_size(dtype, digits, size):
    p, t = np.random.default_rng(1).normal(size=(2, size)).astype(dtype)
    exact = np.square(p.astype(float) - t).sum()
    np.testing.assert_allclose(loss_sums.sum_of_squares(p, t), exact, rtol=digits)


@pytest.mark.parametrize("size", [5, 1025])
def test_logistic_losses(size):
    z, t = logits(np.float32, size), np.random.default_rng(2).random(size, np.float32)
    exact = np.logaddexp(0, z.astype(float)) - z.astype(float) * t
    np.testing.assert_allclose(loss_sums.sum_of_logistic_losses(z, t), exact.sum(), rtol=1e-6)
    total, dz = loss_and_slopes("logistic", z, t, 0.5, ())
    np.testing.assert_allclose(total, exact.sum(), rtol=1e-6)
    np.testing.assert_allclose(dz, (1 / (1 + np.exp(-z.astype(float))) - t) * 0.5, atol=1e-7)


@BOTH
def test_squares_and_their_slopes_in_any_layout(dtype, digits):
    p, t = np.random.default_rng(1).normal(size=(2, 40, 30)).astype(dtype)
    for left, right in ((p, t), (np.asfortranarray(p), np.repeat(t, 2, axis=1)[:, ::2])):
        total, dp = loss_sums.squares_and_slopes(left, right, 2.0)
        np.testing.assert_allclose(total, np.square(p.astype(float) - t).sum(), rtol=digits)
        np.testing.assert_array_equal(dp, (p - t) * 2)


@pytest.mark.parametrize("z", np.linspace(-30, 0, 31))
def test_each_logistic_loss_is_right_to_the_last_digits(z):
    """Of a single number nothing is added up that could hide an error."""
    z = np.float32(z)
    found = loss_sums.sum_of_logistic_losses(np.array([z]), np.zeros(1, np.float32))
    np.testing.assert_allclose(found, np.log1p(np.exp(float(z))), rtol=4e-7)


@BOTH
def test_softmax_losses_of_labels_and_of_soft_targets(dtype, digits):
    z = logits(dtype, (40, 7))
    labels, t = np.arange(40) % 7, np.random.default_rng(3).random((40, 7)).astype(dtype)
    log_p = z - np.logaddexp.reduce(z.astype(float), axis=1, keepdims=True)
    found = loss_sums.sum_of_softmax_losses(z, labels)
    np.testing.assert_allclose(found, -log_p[np.arange(40), labels].sum(), rtol=digits)
    np.testing.assert_allclose(loss_sums.sum_of_soft_losses(z, t), -(t * log_p).sum(), rtol=digits)


@BOTH
def test_softmax_losses_and_their_slopes(dtype, digits):
    z = logits(dtype, (40, 7))
    labels, t = np.arange(40) % 7, np.random.default_rng(3).random((40, 7)).astype(dtype)
    exact = z.astype(float)
    p = np.exp(exact - np.logaddexp.reduce(exact, axis=1, keepdims=True))
    for rows in (z, np.asfortranarray(z)):
        total, dz = loss_sums.softmax_losses_and_slopes(rows, labels, 0.5)
        np.testing.assert_allclose(total, loss_sums.sum_of_softmax_losses(z, labels), rtol=digits)
        np.testing.assert_allclose(dz, (p - np.eye(7)[labels]) * 0.5, atol=digits)
        total, dz = loss_sums.soft_losses_and_slopes(rows, t, 0.5)
        np.testing.assert_allclose(total, loss_sums.sum_of_soft_losses(z, t), rtol=digits)
        np.testing.assert_allclose(dz, (p * t.sum(axis=1, keepdims=True) - t) * 0.5, atol=3 * digits)


@BOTH
def test_what_is_left_of_large_logits_keeps_its_digits(dtype, digits):
    """Numbers that cancel are subtracted before anything else is added to one of them."""
    z = np.random.default_rng(5).normal(scale=1e4, size=2000).astype(np.float32)
    exact, t = np.log1p(np.exp(-np.abs(z.astype(float)))).sum(), (z > 0).astype(np.float32)
    np.testing.assert_allclose(loss_sums.sum_of_logistic_losses(z, t), exact, rtol=1e-6)
    np.testing.assert_allclose(loss_and_slopes("logistic", z, t, 1.0, ())[0], exact, rtol=1e-6)
    z = np.array([[10000, 10001, 9998]] * 5, dtype)
    rest = np.log(np.exp([-1, 0, -3]).sum())
    np.testing.assert_allclose(loss_sums.sum_of_softmax_losses(z, np.ones(5, int)), 5 * rest, rtol=digits)
    np.testing.assert_allclose(loss_sums.softmax_losses_and_slopes(z, np.ones(5, int), 1)[0], 5 * rest, rtol=digits)
    np.testing.assert_allclose(
        loss_sums.soft_losses_and_slopes(z, np.eye(3, dtype=dtype)[[1] * 5], 1)[0], 5 * rest, rtol=digits
    )


def test_targets_that_are_none_have_no_sum():
    z = np.zeros((3, 2), np.float32)
    for wrong in (-0.5, 1.5, 255):
        t = np.array([[0, 1], [0.4, wrong], [1, 1]], np.float32)
        assert loss_sums.sum_of_logistic_losses(z, t) is None
    for wrong in (-1, 2):
        assert loss_sums.sum_of_softmax_losses(z, np.array([0, wrong, 1])) is None
        assert np.isnan(loss_sums.softmax_losses_and_slopes(z, np.array([0, wrong, 1]), 1.0)[0])
    edges = np.array([[-0.49, 1.49]] * 3, np.float32)
    assert loss_sums.sum_of_logistic_losses(z, edges) is not None


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_not_finite_shows(value, dtype):
    z, ones = np.ones((2, 3), dtype), np.ones((2, 3), dtype)
    z[1, 2] = value
    with np.errstate(all="ignore"):
        assert not np.isfinite(loss_sums.sum_of_squares(z, ones))
        if dtype == np.float32:
            assert not np.isfinite(loss_sums.sum_of_logistic_losses(z, 0 * ones))
            assert not np.isfinite(loss_and_slopes("logistic", z, 0 * ones, 1.0, ())[0])
        assert not np.isfinite(loss_sums.sum_of_softmax_losses(z, np.zeros(2, int)))
        assert not np.isfinite(loss_sums.sum_of_soft_losses(z, ones))
        assert not np.isfinite(loss_sums.softmax_losses_and_slopes(z, np.zeros(2, int), 1.0)[0])
        assert not np.isfinite(loss_sums.soft_losses_and_slopes(z, ones, 1.0)[0])


def test_any_layout():
    z, t = np.random.default_rng(4).random((2, 6, 4)).astype(np.float32)
    sums = loss_sums.sum_of_squares, loss_sums.sum_of_logistic_losses, loss_sums.sum_of_soft_losses
    for function in sums:
        wanted = function(z, t)
        assert function(np.asfortranarray(z), np.repeat(t, 2, axis=1)[:, ::2]) == wanted
