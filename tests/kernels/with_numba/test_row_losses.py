"""Losses of rows in one go: right to the last digits, of short rows and of long ones, and where something is cut."""

import contextlib

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from scratchnet import losses  # noqa: E402
from scratchnet.kernels.with_numba import row_losses  # noqa: E402
from scratchnet.kernels.with_numba.team import helper  # noqa: E402

CASES = {
    "cosine_similarity": losses.CosineSimilarity(),
    "categorical_crossentropy": losses.CategoricalCrossentropy(),
    "categorical_focal_crossentropy": losses.CategoricalFocalCrossentropy(alpha=0.4),
    "sparse_categorical_crossentropy": losses.SparseCategoricalCrossentropy(),
    "categorical_hinge": losses.CategoricalHinge(),
}


def numbers(name, M=12, K=31):
    """``(p, t)``: probabilities, scores for the hinge; soft targets, one-hot ones for the hinge, or labels."""
    rng = np.random.default_rng(0)
    p, t = rng.random((2, M, K)).astype(np.float32)
    labels = rng.integers(0, K, M)
    if name == "categorical_hinge":
        p, t = 3 * p - 1, np.eye(K, dtype=np.float32)[labels]
    elif name != "cosine_similarity":
        p[: M // 2] /= p[: M // 2].sum(axis=-1, keepdims=True)
    return p, labels if name.startswith("sparse") else t


def compute(case, p, t, scale=1.0):
    name, parameters = CASES[case].for_kernel()
    return row_losses.row_losses_and_slopes(name, p, t, scale, parameters)


def test_every_compiled_loss_is_tried_here():
    assert {loss.for_kernel()[0] for loss in CASES.values()} == set(row_losses._KERNELS)


@pytest.mark.parametrize("K", [2, 31, 1024, 4100])
@pytest.mark.parametrize("name", CASES)
def test_the_sum_and_the_slopes_are_those_of_the_formula_in_float64(name, K):
    (p, t), loss = numbers(name, K=K), CASES[name]
    total, dp = compute(name, p, t)
    values, terms = loss.values(t.astype(float), p.astype(float))
    exact = loss.gradient(np.float64(1), terms)
    # In plain Python a block is added up number by number; compiled, in as many sums as a vector has places.
    np.testing.assert_allclose(total, values.sum(), rtol=1e-5 if numba.config.DISABLE_JIT else 2e-6)
    np.testing.assert_allclose(dp, exact, rtol=2e-5, atol=2e-6 * abs(exact).max())


@pytest.mark.parametrize("name", CASES)
def test_two_threads_have_the_bits_of_one(name):
    p, t = numbers(name, M=100, K=400)  # so much that it is shared
    alone, slopes = compute(name, p, t)
    with helper() or contextlib.nullcontext():
        total, dp = compute(name, p, t)
    assert total == alone
    np.testing.assert_array_equal(dp, slopes)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", CASES)
def test_what_is_not_finite_is_seen_in_the_sum(name, value):
    p, t = numbers(name)
    if value == np.inf and name.startswith("sparse"):
        return  # is cut, as by the formula
    for k in range(p.shape[1]):  # the right class, too
        broken = p.copy()
        broken[3, k] = value
        with np.errstate(all="ignore"):
            assert not np.isfinite(compute(name, broken, t)[0])


@pytest.mark.parametrize("name", [name for name in CASES if name.endswith("crossentropy")])
def test_what_was_cut_has_no_slope_of_its_own(name):
    """Probabilities of 0, and of 1; in the loss of labels, which are cut first, both have none at all."""
    p, t = np.array([[0, 0.25, 0.75], [0, 1, 0]], np.float32), np.full((2, 3), 1 / 3, np.float32)
    t = np.array([0, 1]) if name.startswith("sparse") else t
    _, dp = compute(name, p, t)
    _, terms = CASES[name].values(t.astype(float), p.astype(float))
    np.testing.assert_allclose(dp, CASES[name].gradient(np.float64(1), terms), rtol=1e-6, atol=1e-6)
    assert (dp[1] == 0).all()


def test_a_vector_without_a_length_is_divided_by_a_constant():
    p, t = np.array([[0, 0], [3, 4], [1e-8, 0]], np.float32), np.array([[3, 4], [0, 0], [1, 0]], np.float32)
    loss = CASES["cosine_similarity"]
    total, dp = compute("cosine_similarity", p, t)
    values, terms = loss.values(t.astype(float), p.astype(float))
    assert total == pytest.approx(values.sum())
    np.testing.assert_allclose(dp, loss.gradient(np.float64(1), terms), rtol=1e-6)


def test_the_largest_scores_share_the_slope_and_who_is_right_by_a_margin_has_none():
    p = np.array([[1, 1, 0.5], [0, 0, 3], [0, 2, 2.5]], np.float32)
    t = np.eye(3, dtype=np.float32)[[2, 2, 2]]
    total, dp = compute("categorical_hinge", p, t, 2.0)
    assert total == 1.5 + 0 + 0.5
    np.testing.assert_array_equal(dp, [[1, 1, -2], [0, 0, 0], [0, 2, -2]])


@pytest.mark.parametrize("name", CASES)
def test_any_layout_any_number_of_axes_and_only_float32(name):
    p, t = numbers(name)
    expected, slopes = compute(name, p, t, 0.5)
    for left, right in ((np.asfortranarray(p), np.asfortranarray(t)), (p, np.repeat(t, 2, axis=-1)[..., ::2])):
        total, dp = compute(name, left, right, 0.5)
        assert total == expected
        np.testing.assert_array_equal(dp, slopes)
    total, dp = compute(name, p.reshape(3, 4, -1), t.reshape(3, 4, *t.shape[1:]), 0.5)
    assert total == expected
    np.testing.assert_array_equal(dp, slopes.reshape(3, 4, -1))
    assert compute(name, p.astype(float), t.astype(float)) is None
