"""Losses of numbers in one pass: right to the last digits, also where differences cancel and where a kink is."""

import contextlib

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from scratchnet import losses  # noqa: E402
from scratchnet.kernels.with_numba import elementwise_losses  # noqa: E402
from scratchnet.kernels.with_numba.compile import njit  # noqa: E402
from scratchnet.kernels.with_numba.elementwise import log32  # noqa: E402
from scratchnet.kernels.with_numba.team import helper  # noqa: E402

CASES = {
    "mean_absolute_error": losses.MeanAbsoluteError(),
    "huber": losses.Huber(delta=0.3),
    "mean_absolute_percentage_error": losses.MeanAbsolutePercentageError(),
    "mean_squared_logarithmic_error": losses.MeanSquaredLogarithmicError(),
    "log_cosh": losses.LogCosh(),
    "poisson": losses.Poisson(),
    "hinge": losses.Hinge(),
    "squared_hinge": losses.SquaredHinge(),
    "kl_divergence": losses.KLDivergence(),
    "binary_crossentropy": losses.BinaryCrossentropy(),
    "binary_focal_crossentropy": losses.BinaryFocalCrossentropy(apply_class_balancing=True),
    "logistic": losses.BinaryCrossentropy(from_logits=True),
}


def numbers(name):
    """``(p, t)`` in float32: near each other, far, and equal; probabilities up to 0 and 1 for those that take them."""
    rng = np.random.default_rng(0)
    p, t = rng.random((2, 40, 31)).astype(np.float32)
    p[:5], t[5:10] = t[:5], 0
    p[10:15] = t[10:15] * np.float32(1.001)
    p[15, :2] = 0, 1
    if name in ("mean_absolute_error", "huber", "mean_absolute_percentage_error", "log_cosh", "logistic"):
        p[20:] = p[20:] * 60 - 30
    if name == "mean_squared_logarithmic_error":
        p[20:] *= 1000
    if name.endswith("hinge"):
        t = np.where(t > 0.5, np.float32(1), np.float32(-1))
    return p, t


def test_every_compiled_loss_is_tried_here():
    assert {loss.for_kernel()[0] for loss in CASES.values()} == set(CASES) == set(elementwise_losses._KERNELS)


@pytest.mark.parametrize("name", CASES)
def test_the_sum_and_the_slopes_are_those_of_the_formula_in_float64(name):
    (p, t), loss = numbers(name), CASES[name]
    if name in ("poisson", "binary_crossentropy", "binary_focal_crossentropy"):
        p = np.clip(p, np.float32(1e-3), np.float32(0.999))  # where float32 has digits for 1 - p
    total, dp = elementwise_losses.loss_and_slopes(name, p, t, 1.0, loss.for_kernel()[1])
    count = p.shape[-1] if loss.is_mean else 1
    values, terms = loss.values(t.astype(float), p.astype(float))
    # In plain Python a block is added up number by number; compiled, in as many sums as a vector has places.
    np.testing.assert_allclose(total, values.sum() * count, rtol=1e-5 if numba.config.DISABLE_JIT else 2e-6)
    np.testing.assert_allclose(dp, loss.gradient(np.float64(count), terms), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", CASES)
def test_two_threads_have_the_bits_of_one(name):
    p, t = (np.tile(x, (40, 1)) for x in numbers(name))  # so much that it is shared
    alone, slopes = elementwise_losses.loss_and_slopes(name, p, t, 1.0, CASES[name].for_kernel()[1])
    with helper() or contextlib.nullcontext():
        total, dp = elementwise_losses.loss_and_slopes(name, p, t, 1.0, CASES[name].for_kernel()[1])
    assert total == alone
    np.testing.assert_array_equal(dp, slopes)


@pytest.mark.parametrize("name", ["kl_divergence", "mean_squared_logarithmic_error"])
def test_what_was_cut_has_no_slope(name):
    p, t = np.array([[0, 0.5, 1, -3]], np.float32), np.full((1, 4), 0.25, np.float32)
    _, dp = elementwise_losses.loss_and_slopes(name, p, t, 1.0, CASES[name].for_kernel()[1])
    assert dp[0, 0] == dp[0, 3] == 0
    assert dp[0, 1] != 0 and dp[0, 2] != 0


@pytest.mark.parametrize("name", CASES)
def test_what_is_not_a_number_is_seen_in_the_sum(name):
    p, t = numbers(name)
    p[3, 4] = np.nan
    total, _ = elementwise_losses.loss_and_slopes(name, p, t, 1.0, CASES[name].for_kernel()[1])
    assert not np.isfinite(total)


def test_any_layout_and_only_float32():
    p, t = numbers("huber")
    expected, slopes = elementwise_losses.loss_and_slopes("huber", p, t, 0.5, (0.3,))
    for left, right in ((np.asfortranarray(p), t), (p, np.repeat(t, 2, axis=1)[:, ::2])):
        total, dp = elementwise_losses.loss_and_slopes("huber", left, right, 0.5, (0.3,))
        assert total == expected
        np.testing.assert_array_equal(dp, slopes)
    assert elementwise_losses.loss_and_slopes("huber", p.astype(float), t.astype(float), 0.5, (0.3,)) is None


def test_a_logarithm_of_normal_numbers_is_right_to_the_last_digits_and_of_others_there_is_none():
    @njit
    def of_each(x, y):
        for k in range(x.size):
            y[k] = log32(x[k])

    rng = np.random.default_rng(1)
    x = np.exp(np.concatenate([rng.uniform(-87, 88, 4000), rng.normal(scale=1e-3, size=4000)])).astype(np.float32)
    others = np.array([0, -1, np.inf, np.nan, 1e-40], np.float32)
    y, nothing = np.empty_like(x), np.empty_like(others)
    of_each(x, y)
    of_each(others, nothing)
    np.testing.assert_allclose(y, np.log(x.astype(float)), rtol=4e-7, atol=1e-12)
    assert np.isnan(nothing).all()
