"""Learning rate schedules: values by hand."""

import math

import pytest

from scratchnet.optimizers import schedules


def test_exponential_decay():
    smooth, stairs = (schedules.ExponentialDecay(0.1, 10, 0.5, staircase=s) for s in (False, True))
    assert smooth(0) == 0.1 and smooth(10) == pytest.approx(0.05) and smooth(5) == pytest.approx(0.1 * math.sqrt(0.5))
    assert stairs(9) == 0.1 and stairs(10) == pytest.approx(0.05)


def test_inverse_time_decay():
    smooth, stairs = (schedules.InverseTimeDecay(0.1, 10, 1.0, staircase=s) for s in (False, True))
    assert smooth(5) == pytest.approx(0.1 / 1.5) and stairs(5) == 0.1 and stairs(10) == pytest.approx(0.05)


def test_piecewise_constant_decay_changes_after_its_boundaries():
    schedule = schedules.PiecewiseConstantDecay([5, 10], [3.0, 2.0, 1.0])
    assert [schedule(step) for step in (0, 5, 6, 10, 11)] == [3.0, 3.0, 2.0, 2.0, 1.0]


def test_polynomial_decay_ends_or_begins_again():
    schedule = schedules.PolynomialDecay(1.0, 10, end_learning_rate=0.0, power=2.0)
    assert [schedule(step) for step in (0, 5, 10, 20)] == [1.0, 0.25, 0.0, 0.0]
    cycle = schedules.PolynomialDecay(1.0, 10, end_learning_rate=0.0, cycle=True)
    assert cycle(0) == 1.0 and cycle(5) == 0.5 and cycle(15) == pytest.approx(0.25)


def test_cosine_decay_with_and_without_a_warmup():
    schedule = schedules.CosineDecay(1.0, 10, alpha=0.1)
    assert schedule(0) == 1.0 and schedule(5) == pytest.approx(0.55) and schedule(99) == pytest.approx(0.1)
    warm = schedules.CosineDecay(0.0, 10, warmup_target=1.0, warmup_steps=4)
    assert [warm(step) for step in (0, 2, 4)] == [0.0, 0.5, 1.0]
    assert warm(9) == pytest.approx(0.5)
    assert schedules.CosineDecay(0.2, 10, warmup_target=1.0, warmup_steps=4)(1) == pytest.approx(0.4)


def test_cosine_decay_restarts_longer_and_lower():
    schedule = schedules.CosineDecayRestarts(1.0, 10, t_mul=2.0, m_mul=0.5)
    assert schedule(0) == 1.0 and schedule(5) == pytest.approx(0.5)
    assert (
        schedule(10) == pytest.approx(0.5)
        and schedule(20) == pytest.approx(0.25)
        and schedule(30) == pytest.approx(0.25)
    )


@pytest.mark.parametrize(
    "schedule",
    [
        schedules.ExponentialDecay(0.1, 10, 0.5),
        schedules.PiecewiseConstantDecay([5], [1.0, 0.5]),
        schedules.PolynomialDecay(0.1, 10),
        schedules.InverseTimeDecay(0.1, 10, 0.5),
        schedules.CosineDecay(0.1, 10),
        schedules.CosineDecayRestarts(0.1, 10),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_configurations_make_the_same_schedule_again(schedule):
    again = schedules.deserialize(schedules.serialize(schedule))
    assert repr(again) == repr(schedule)
    assert [again(step) for step in range(30)] == [schedule(step) for step in range(30)]


def test_a_schedule_of_ones_own():
    class Half(schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.5

    assert schedules.deserialize({"class_name": "Half"}, {"Half": Half})(3) == 0.5

    class Unfinished(schedules.LearningRateSchedule):
        pass

    with pytest.raises(NotImplementedError, match="Unfinished defines no __call__"):
        Unfinished()(0)
