"""GaussianNoise: its deviation and its stream of random numbers."""

import numpy as np
import pytest

from scratchnet.layers import GaussianNoise
from scratchnet.streams import RandomStream
from scratchnet.utils import set_random_seed

F64 = {"dtype": "float64"}


def test_noise_is_drawn_from_the_stream_of_its_seed():
    x = np.full((3, 4), 7.0)
    normal = RandomStream(5).normal(x.shape)
    np.testing.assert_array_equal(GaussianNoise(0.5, seed=5, **F64)(x, training=True), x + 0.5 * normal)


def test_noise_has_its_standard_deviation_and_follows_the_global_seed():
    x = np.zeros((2000, 10))
    assert GaussianNoise(0.5, seed=1, **F64)(x, training=True).std() == pytest.approx(0.5, abs=0.01)
    draws = []
    for _ in range(2):
        set_random_seed(9)
        draws.append(GaussianNoise(0.5)(x, training=True))
    np.testing.assert_array_equal(*draws)
