"""Learning rates that change with the number of the step."""

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scratchnet import registry
from scratchnet.missing import refusal
from scratchnet.names import defined_in
from scratchnet.recorded import Recorded, from_recorded, recorded_config
from scratchnet.registry import register
from scratchnet.variables import Number

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]
if not TYPE_CHECKING:
    __getattr__ = refusal(__name__)


class LearningRateSchedule(metaclass=Recorded, kind="schedules"):
    """A function of the step (0, 1, 2, ...) that an optimizer takes as its `learning_rate`.

    A subclass defines `__call__`, or `rates` for an array of steps.
    """

    def __call__(self, step):
        """The learning rate of a step, or an array of them for an array of steps."""
        rates = np.asarray(self.rates(np.asarray(step, dtype=np.float64)))
        return Number(rates) if rates.ndim == 0 else rates

    def rates(self, steps):
        """The learning rates of an array of steps, in its shape."""
        raise NotImplementedError(f"{type(self).__name__} defines no __call__(step)")

    def get_config(self):
        """The constructor's arguments as JSON-able values."""
        return recorded_config(self)

    @classmethod
    def from_config(cls, config):
        """The schedule with these arguments."""
        return from_recorded(cls, config)

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


def _check_steps(owner, argument, value):
    if not value > 0:
        raise ValueError(f"{owner}: {argument} must be positive, got {value!r}")
    return value


@register("schedules")
class ExponentialDecay(LearningRateSchedule):
    """``initial * rate^(step / decay_steps)``; with `staircase` the quotient is rounded down."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = "ExponentialDecay",
    ):
        self.initial_learning_rate, self.decay_rate, self.staircase = initial_learning_rate, decay_rate, staircase
        self.decay_steps = _check_steps("ExponentialDecay", "decay_steps", decay_steps)
        self.name = name

    def rates(self, steps):
        quotient = steps / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (np.floor(quotient) if self.staircase else quotient)


@register("schedules")
class PiecewiseConstantDecay(LearningRateSchedule):
    """``values[k]`` for steps after ``boundaries[k - 1]`` up to and including ``boundaries[k]``."""

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str | None = "PiecewiseConstant"):
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                f"PiecewiseConstantDecay: {len(values)} values need {len(values) - 1} boundaries, got {len(boundaries)}"
            )
        if any(low >= high for low, high in itertools.pairwise(boundaries)):
            raise ValueError(f"PiecewiseConstantDecay: boundaries must increase, got {boundaries}")
        self.boundaries, self.values, self.name = list(boundaries), list(values), name

    def rates(self, steps):
        return np.asarray(self.values, dtype=np.float64)[np.searchsorted(self.boundaries, steps, side="left")]


@register("schedules")
class PolynomialDecay(LearningRateSchedule):
    """From `initial` to `end_learning_rate` in `decay_steps`; the rest shrinks as ``(1 - step / decay_steps)^power``.

    With `cycle`, decay_steps is stretched to the next multiple that is not over yet.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str | None = "PolynomialDecay",
    ):
        self.initial_learning_rate, self.end_learning_rate = initial_learning_rate, end_learning_rate
        self.decay_steps = _check_steps("PolynomialDecay", "decay_steps", decay_steps)
        self.power, self.cycle, self.name = power, cycle, name

    def rates(self, steps):
        length = self.decay_steps
        if self.cycle:
            length = length * np.maximum(np.ceil(steps / length), 1)
        else:
            steps = np.minimum(steps, length)
        share = (1 - steps / length) ** self.power
        return (self.initial_learning_rate - self.end_learning_rate) * share + self.end_learning_rate


@register("schedules")
class InverseTimeDecay(LearningRateSchedule):
    """``initial / (1 + rate step / decay_steps)``; with `staircase` the quotient is rounded down."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = "InverseTimeDecay",
    ):
        self.initial_learning_rate, self.decay_rate, self.staircase = initial_learning_rate, decay_rate, staircase
        self.decay_steps = _check_steps("InverseTimeDecay", "decay_steps", decay_steps)
        self.name = name

    def rates(self, steps):
        quotient = steps / self.decay_steps
        return self.initial_learning_rate / (1 + self.decay_rate * (np.floor(quotient) if self.staircase else quotient))


@register("schedules")
class CosineDecay(LearningRateSchedule):
    """Half a cosine wave down from `initial` (or `warmup_target`) to ``alpha`` times it in `decay_steps`.

    With `warmup_target`, the rate first climbs to it in a straight line for `warmup_steps`. (Loshchilov and Hutter,
    "SGDR: stochastic gradient descent with warm restarts", 2017.)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str | None = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ):
        self.initial_learning_rate, self.alpha = initial_learning_rate, alpha
        self.decay_steps = _check_steps("CosineDecay", "decay_steps", decay_steps)
        self.warmup_target, self.warmup_steps, self.name = warmup_target, warmup_steps, name

    def rates(self, steps):
        warmup = 0 if self.warmup_target is None else self.warmup_steps
        top = self.initial_learning_rate if self.warmup_target is None else self.warmup_target
        wave = (1 + np.cos(math.pi * np.clip(steps - warmup, 0, self.decay_steps) / self.decay_steps)) / 2
        rates = top * ((1 - self.alpha) * wave + self.alpha)
        if not warmup:
            return rates
        climb = self.initial_learning_rate + (top - self.initial_learning_rate) * steps / warmup
        return np.where(steps < warmup, climb, rates)


@register("schedules")
class CosineDecayRestarts(LearningRateSchedule):
    """`CosineDecay` again and again, each period `t_mul` times as long and `m_mul` times as high as the one before.

    `t_mul` is at least 1: periods that get shorter would end for good at step ``first_decay_steps / (1 - t_mul)``.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str | None = "SGDRDecay",
    ):
        self.initial_learning_rate, self.t_mul, self.m_mul = initial_learning_rate, t_mul, m_mul
        self.first_decay_steps = _check_steps("CosineDecayRestarts", "first_decay_steps", first_decay_steps)
        self.alpha, self.name = alpha, name
        if not t_mul >= 1:
            raise ValueError(f"CosineDecayRestarts: t_mul must be at least 1 (shorter periods run out), got {t_mul!r}")

    def rates(self, steps):
        return np.vectorize(self._rate, otypes=[np.float64])(steps)

    def _rate(self, step):
        length, height = self.first_decay_steps, 1.0
        if self.t_mul == 1:  # nothing grows: the loop below would take a turn for every period
            height, step = self.m_mul ** (step // length), step % length
        while step >= length:
            step -= length
            length *= self.t_mul
            height *= self.m_mul
        wave = height * (1 + math.cos(math.pi * step / length)) / 2
        return self.initial_learning_rate * ((1 - self.alpha) * wave + self.alpha)


def serialize(learning_rate_schedule):
    """The schedule's class and arguments as JSON-able values."""
    return registry.serialize(learning_rate_schedule)


def deserialize(config, custom_objects=None):
    """The schedule that `serialize` described. Raises ValueError for an unknown class."""
    return registry.deserialize(config, "schedules", custom_objects)


def __dir__():
    return defined_in(globals())
