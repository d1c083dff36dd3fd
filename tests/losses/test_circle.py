"""The circle loss: pairs by hand, samples without a partner, references of their own."""

import numpy as np
import pytest

from scratchnet import losses
from scratchnet.gradient_check import check_loss, check_loss_parts


def unit(rng, shape):
    y = rng.normal(size=shape)
    return y / np.linalg.norm(y, axis=-1, keepdims=True)


def test_one_pair_by_hand():
    y, labels, gamma, m = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]), np.array([3, 3, 5]), 2.0, 0.25
    d = {(0, 1): 0.2, (0, 2): 1.0, (1, 2): 0.4}
    expected = []
    for same, other in (((0, 1), (0, 2)), ((0, 1), (1, 2))):
        s = gamma * (d[same] ** 2 - m**2)
        r = gamma * max(1 + m - d[other], 0) * (1 - m - d[other])
        expected.append(np.log1p(np.exp(s + r)))
    np.testing.assert_allclose(losses.circle(labels, y, gamma=gamma, margin=m), [*expected, 0])
    assert losses.Circle(gamma, m)(labels, y) == pytest.approx(np.mean(expected))  # the third has no partner
    assert losses.Circle(gamma, m, reduction="sum")(labels[:, None], y) == pytest.approx(np.sum(expected))


def test_a_batch_without_pairs_costs_nothing():
    y = unit(np.random.default_rng(0), (3, 4))
    loss = losses.Circle()
    for labels in ([1, 2, 3], [1, 1, 1]):
        value, cache = loss.forward(labels, y)
        assert value == 0 and not loss.backward(cache).any()


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
def test_it_is_proved_whole_and_in_parts_that_meet(reduction):
    rng = np.random.default_rng(4)
    y, labels = unit(rng, (7, 3)), rng.integers(0, 3, 7)
    loss, weights = losses.Circle(3.0, 0.3, reduction=reduction), rng.uniform(0.5, 2, 7)
    check_loss(loss, labels, y, weights).raise_if_failed()
    check_loss_parts(loss, labels, y, weights).raise_if_failed()


def test_references_of_their_own():
    rng = np.random.default_rng(1)
    y, others = unit(rng, (2, 3)), unit(rng, (5, 3))
    values = losses.circle([0, 1], y, ref_labels=[0, 1, 0, 1, 2], ref_embeddings=others, gamma=2.0)
    assert values.shape == (2,) and (values > 0).all()
    with pytest.raises(ValueError, match=r"expected labels \(N,\) and embeddings \(N, D\)"):
        losses.Circle()(np.ones((2, 3)), np.ones((2, 3)))
