"""A helper is kept where steps with it are not the slower ones, and tried again after a while: by our own clock."""

import numpy as np
import pytest

import scratchnet
from scratchnet import kernels
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential
from scratchnet.parallel import threads, trial
from scratchnet.parallel.trial import Trial
from scratchnet.training import step


@pytest.fixture
def clock(monkeypatch):
    """``taken(steps, cost)`` asks before each of so many steps, which then last as long as `cost(helped)` says."""
    now, mine = [0.0], Trial()
    monkeypatch.setattr(trial.time, "perf_counter", lambda: now[0])

    def taken(steps, cost):
        answers = []
        for _ in range(steps):
            answers.append(mine.asks())
            now[0] += cost(answers[-1])
        return answers

    return taken


def with_helper(seconds):
    return lambda helped: seconds if helped else 2.0


def test_at_first_it_helps_then_both_ways_are_tried_and_the_quicker_one_is_taken(clock):
    tried, rest = trial._TRIED, trial._ROUND - 2 * trial._TRIED
    assert all(clock(trial._WARM, with_helper(9.0)))  # what is slow at the beginning does not count
    assert clock(2 * tried, with_helper(1.0)) == [True] * tried + [False] * tried
    assert clock(rest, with_helper(3.0)) == [True] * rest
    assert clock(2 * tried, with_helper(3.0)) == [True] * tried + [False] * tried
    assert clock(rest, with_helper(1.0)) == [False] * rest
    assert clock(2 * tried + 1, with_helper(1.0))[-1]


def test_the_first_step_of_a_way_and_one_that_takes_long_do_not_count(clock):
    clock(trial._WARM, with_helper(1.0))
    times = iter([9.0, 1.0, 9.0, 1.0, 9.0, 1.0])
    clock(trial._TRIED, lambda helped: next(times))
    clock(trial._TRIED, with_helper(1.0))
    assert clock(1, with_helper(1.0)) == [True]


def test_it_goes_on_from_one_fit_to_the_next_and_begins_anew_with_compile():
    model, x = Sequential([Input((3,)), Dense(2)]), np.ones((8, 3), "float32")
    model.compile("sgd", "mse")
    model.fit(x, x[:, :2], verbose=0)
    first = model._objective.trial
    model.fit(x, x[:, :2], verbose=0)
    assert model._objective.trial is first
    model.compile("sgd", "mse")
    model.fit(x, x[:, :2], verbose=0)
    assert model._objective.trial is not first


@pytest.mark.skipif(not kernels.numba_is_installed(), reason="who helps is compiled code")
@pytest.mark.parametrize("count, processors, steps", [(1, 2, 0), (2, 1, 0), (2, 2, 4)])
def test_nobody_is_on_trial_where_nobody_could_help(monkeypatch, count, processors, steps):
    with kernels.using_backend("numba"):
        steps = 0 if kernels.helper() is None else steps  # without the compiler
    asked, asks = [], Trial.asks
    monkeypatch.setattr(Trial, "asks", lambda self: asked.append(1) or asks(self))
    monkeypatch.setattr(step, "LEAST_HELPED", 0)
    monkeypatch.setattr(threads, "available_processors", lambda: processors)
    model, x = Sequential([Input((3,)), Dense(2)]), np.ones((8, 3), "float32")
    model.compile("sgd", "mse")
    scratchnet.set_num_threads(count)
    try:
        with kernels.using_backend("numba"):
            model.fit(x, x[:, :2], batch_size=2, verbose=0)
    finally:
        scratchnet.set_num_threads(None)
    assert len(asked) == steps
