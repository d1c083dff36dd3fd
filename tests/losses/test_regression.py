"""MeanSquaredError, MeanAbsoluteError, Huber: kinks, and what they take."""

import numpy as np
import pytest

from scratchnet import losses


def test_conventions_at_kinks():
    one = np.ones((1, 1))
    for loss, error, slope in (
        (losses.MeanAbsoluteError(), 0.0, 0.0),
        (losses.Huber(delta=0.5), 0.0, 0.0),
        (losses.Huber(delta=0.5), 0.5, 0.5),
        (losses.Huber(delta=0.5), -0.75, -0.5),
    ):
        assert loss.backward(loss.forward(one, one + error)[1]) == slope


def test_huber_s_delta_is_above_zero():
    assert losses.Huber(0.01).delta == 0.01
    for value in (0, -1):
        with pytest.raises(ValueError, match=f'Huber "huber_loss": delta must be positive, got {value}'):
            losses.Huber(value)
