"""Dice and Tversky: values by hand, axes, the whole batch."""

import numpy as np
import pytest

from scratchnet import losses
from scratchnet.gradient_check import check_loss, check_loss_parts


def test_values_by_hand():
    t, p = np.array([[1.0, 1.0, 0.0, 0.0]]), np.array([[1.0, 0.0, 1.0, 0.0]])
    assert losses.Dice()(t, p) == pytest.approx(1 - 2 / 4)
    assert losses.Tversky(0.25, 0.75)(t, p) == pytest.approx(1 - 1 / 2)
    assert losses.Tversky(1.0, 0.0)(t, p) == pytest.approx(1 - 1 / 2) and losses.Tversky(0, 0)(t, p) == pytest.approx(
        0, abs=1e-6
    )
    assert losses.Dice()(t, t) == pytest.approx(0, abs=1e-6) and losses.Dice()(0 * t, 0 * t) == 1
    np.testing.assert_allclose(losses.dice(t, p, axis=-1), [0.5], rtol=1e-6)
    np.testing.assert_allclose(losses.tversky(t, p), losses.dice(t, p), rtol=1e-6)


@pytest.mark.parametrize("axis", [None, 0, -1, (1, 2), [0, 2], (0, 1, 2)])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum"])
def test_every_axis_is_proved_whole_and_in_parts(axis, reduction):
    rng = np.random.default_rng(2)
    t, p = rng.uniform(size=(5, 3, 2)), rng.uniform(size=(5, 3, 2))
    for loss in (losses.Dice(reduction, axis=axis), losses.Tversky(0.3, 0.9, reduction, axis=axis)):
        check_loss(loss, t, p).raise_if_failed()
        check_loss_parts(loss, t, p).raise_if_failed()


def test_the_reduction_none_gives_the_values():
    rng = np.random.default_rng(2)
    t, p = rng.uniform(size=(4, 3, 2)), rng.uniform(size=(4, 3, 2))
    assert losses.Dice(None, axis=(1, 2))(t, p).shape == (4,) and losses.Dice("none")(t, p).shape == ()
    with pytest.raises(ValueError, match="has no gradient"):
        losses.Dice("none").backward(None)
    weighted = losses.Dice("mean_with_sample_weight", axis=(1, 2))
    np.testing.assert_allclose(weighted(t, p, [1, 0, 0, 1]), losses.dice(t, p, (1, 2))[[0, 3]].mean())


def test_weights_of_one_value_for_all_samples_count_as_it_is_reduced():
    rng = np.random.default_rng(2)
    t, p, weights = rng.uniform(size=(4, 3)), rng.uniform(size=(4, 3)), np.array([0.5, 1, 2, 2.5])
    value = float(losses.Dice()(t, p))
    factors = {"sum_over_batch_size": 1.5, "sum": 6, "mean_with_sample_weight": 1}
    for reduction, factor in factors.items():
        loss = losses.Dice(reduction)
        assert loss(t, p, weights) == pytest.approx(factor * value)
        check_loss(loss, t, p, weights).raise_if_failed()
        check_loss_parts(loss, t, p, weights).raise_if_failed()
    np.testing.assert_allclose(losses.Dice(None)(t, p, weights), weights * value)


def test_an_axis_that_is_none_is_refused():
    with pytest.raises(ValueError, match='Dice "dice": axis 5 is not an axis of predictions with 2 axes'):
        losses.Dice(axis=5)(np.ones((2, 2)), np.ones((2, 2)))
