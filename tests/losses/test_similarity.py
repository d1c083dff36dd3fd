"""KLDivergence and CosineSimilarity: vectors of no length, targets beyond 1."""

import numpy as np
import pytest

from scratchnet import losses
from scratchnet.gradient_check import check_loss, check_loss_parts


def test_targets_of_a_divergence_are_cut_at_one():
    loss, p = losses.KLDivergence(), np.array([[0.5, 0.25]])
    assert loss(np.array([[2.0, 0.5]]), p) == loss(np.array([[1.0, 0.5]]), p)
    assert loss(np.array([[1.0, 0.0]]), np.array([[1.0, 0.5]])) == pytest.approx(0, abs=1e-5)
    dy = loss.backward(loss.forward(np.array([[0.5, 0.5]]), np.array([[2.0, 0.5]]))[1])
    np.testing.assert_array_equal(dy, [[0, -1]])


def test_a_vector_of_no_length_has_a_finite_gradient():
    loss = losses.CosineSimilarity()
    value, cache = loss.forward(np.array([[3.0, 4.0]]), np.zeros((1, 2)))
    assert value == 0
    np.testing.assert_allclose(loss.backward(cache), [[-0.6e7, -0.8e7]])


def test_short_vectors_have_no_direction():
    loss = losses.CosineSimilarity(reduction="sum")
    value, cache = loss.forward(np.eye(3)[[0, 0, 0]], np.array([[0.0, 0, 0], [1e-8, 0, 0], [3, 4, 0]]))
    assert value == pytest.approx(0 - 0.1 - 0.6)
    np.testing.assert_allclose(loss.backward(cache), [[-1e7, 0, 0], [-1e7, 0, 0], [-0.128, 0.096, 0]])


@pytest.mark.parametrize("axis", [1, -2, 2, -1])
def test_vectors_along_another_axis(axis):
    rng = np.random.default_rng(0)
    t, p = rng.normal(size=(4, 3, 5)), rng.normal(size=(4, 3, 5))
    loss = losses.CosineSimilarity(axis)
    expected = losses.cosine_similarity(np.moveaxis(t, axis, -1), np.moveaxis(p, axis, -1))
    np.testing.assert_allclose(losses.cosine_similarity(t, p, axis), expected)
    weights = rng.uniform(1, 2, 4)
    check_loss(loss, t, p, weights).raise_if_failed()
    check_loss_parts(loss, t, p, weights).raise_if_failed()
