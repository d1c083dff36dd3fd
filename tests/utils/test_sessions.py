"""set_random_seed and clear_session."""

import random

import numpy as np
import pytest

import scratchnet.streams
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential
from scratchnet.utils import clear_session, set_random_seed

# ---- set_random_seed ----


def draws():
    network = Sequential([Input((3,)), Dense(2)])
    return [random.random(), float(np.random.rand()), scratchnet.streams.new_seed(), network.get_weights()[0].tolist()]


def test_one_seed_repeats_everything():
    set_random_seed(5)
    first = draws()
    set_random_seed(np.int64(5))
    assert draws() == first
    set_random_seed(6)
    assert all(a != b for a, b in zip(draws(), first))


@pytest.mark.parametrize("seed", [-1, 1.5, "1", None, True, 2**32])
def test_a_seed_that_is_none_is_refused_and_changes_nothing(seed):
    set_random_seed(5)
    first = draws()
    set_random_seed(5)
    with pytest.raises(ValueError, match="the seed must be"):
        set_random_seed(seed)
    assert draws() == first


# ---- clear_session ----


def test_names_are_counted_from_the_beginning_again():
    clear_session()
    first = [Dense(1).name, Dense(1).name]
    clear_session()
    assert [Dense(1).name, Dense(1).name] == first and first[0] != first[1]
