"""Learning rate schedules: values by hand, defaults, late steps."""

import json
import math

import numpy as np
import pytest

from scratchnet import optimizers
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


def test_a_schedule_of_ones_own_is_found_among_custom_objects():
    class Halving(schedules.LearningRateSchedule):
        def __init__(self, start):
            self.start = start

        def __call__(self, step):
            return self.start * 0.5**step

    settings = json.loads(json.dumps(optimizers.serialize(optimizers.SGD(Halving(0.8)))))
    again = optimizers.deserialize(settings, custom_objects={"Halving": Halving})
    again.iterations = 2
    assert again.learning_rate == 0.2
    with pytest.raises(ValueError, match="unknown learning rate schedule 'Halving'"):
        optimizers.deserialize(settings)


def test_restarts_of_equal_length_take_no_longer_at_a_late_step():
    schedule = schedules.CosineDecayRestarts(0.1, 2, t_mul=1.0)
    assert schedule(10**15) == pytest.approx(0.1)  # turn by turn this would never end
    assert schedule(10**15 + 1) == pytest.approx(0.05)


SCHEDULES = {
    "ExponentialDecay": ((0.1, 10, 0.5), {"staircase": False, "name": "ExponentialDecay"}),
    "InverseTimeDecay": ((0.1, 10, 0.5), {"staircase": False, "name": "InverseTimeDecay"}),
    "PiecewiseConstantDecay": (([5], [1.0, 0.5]), {"name": "PiecewiseConstant"}),
    "PolynomialDecay": (
        (0.1, 10),
        {"end_learning_rate": 0.0001, "power": 1.0, "cycle": False, "name": "PolynomialDecay"},
    ),
    "CosineDecay": ((0.1, 10), {"alpha": 0.0, "name": "CosineDecay", "warmup_target": None, "warmup_steps": 0}),
    "CosineDecayRestarts": ((0.1, 10), {"t_mul": 2.0, "m_mul": 1.0, "alpha": 0.0, "name": "SGDRDecay"}),
}


REQUIRED = {
    "ExponentialDecay": ("initial_learning_rate", "decay_steps", "decay_rate"),
    "InverseTimeDecay": ("initial_learning_rate", "decay_steps", "decay_rate"),
    "PiecewiseConstantDecay": ("boundaries", "values"),
    "PolynomialDecay": ("initial_learning_rate", "decay_steps"),
    "CosineDecay": ("initial_learning_rate", "decay_steps"),
    "CosineDecayRestarts": ("initial_learning_rate", "first_decay_steps"),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_defaults_of_schedules_are_keras_s(name):
    given, defaults = SCHEDULES[name]
    schedule, expected = getattr(schedules, name)(*given), {**dict(zip(REQUIRED[name], given)), **defaults}
    assert schedule.get_config() == expected
    arguments = ", ".join(f"{key}={value!r}" for key, value in expected.items())
    assert repr(schedule) == f"{name}({arguments})"
    assert (schedules.serialize(schedule)["class_name"], schedules.serialize(schedule)["config"]) == (name, expected)


@pytest.mark.parametrize("name", SCHEDULES)
def test_an_array_of_steps_gives_the_rates_of_each(name):
    given, _ = SCHEDULES[name]
    schedule = getattr(schedules, name)(*given)
    steps = np.arange(60).reshape(6, 10)
    rates = schedule(steps)
    assert rates.shape == (6, 10) and rates.dtype == np.float64
    np.testing.assert_array_equal(rates, [[schedule(int(step)) for step in row] for row in steps])
    assert isinstance(schedule(3), float) and schedule(3).numpy() == schedule(3) == schedule(np.int64(3))
