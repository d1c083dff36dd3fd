"""Changing the learning rate while the model trains."""

import inspect
from collections.abc import Callable
from numbers import Real

from scratchnet.callbacks.base import Callback
from scratchnet.callbacks.monitor import Monitor, check_count
from scratchnet.console import say
from scratchnet.registry import register


@register("callbacks")
class ReduceLROnPlateau(Monitor):
    """Multiply the learning rate by `factor` when `monitor` has not improved for `patience` epochs.

    Args:
        monitor, mode, min_delta: see `Monitor`.
        factor: at least 0, below 1.
        patience: the number of epochs without improvement before a reduction.
        verbose: 1 prints a line for each reduction.
        cooldown: the number of epochs after a reduction that do not count.
        min_lr: the lower bound of the learning rate.

    Adds the learning rate to the logs as "learning_rate". Raises ValueError for a factor or a count out of range.
    """

    state_names = ("best", "wait", "cooldown_counter")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ):
        super().__init__(monitor, mode, min_delta)
        if not 0.0 <= factor < 1.0:
            raise ValueError(f"ReduceLROnPlateau: factor must be at least 0 and below 1, got {factor!r}")
        check_count(self, "patience", patience)
        check_count(self, "cooldown", cooldown)
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._start()

    def on_train_begin(self, logs=None):
        self._start()  # an object may serve several fits

    def _start(self):
        self.best = None
        self.wait = 0
        self.cooldown_counter = 0

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        current = self.figure(logs)
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improved(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            rate = float(self.model.optimizer.learning_rate)
            if self.wait >= self.patience and rate > self.min_lr:
                self.model.optimizer.learning_rate = max(rate * self.factor, self.min_lr)
                self.cooldown_counter = self.cooldown
                self.wait = 0
                if self.verbose > 0:
                    say(f"Epoch {epoch + 1}: the learning rate is now {self.model.optimizer.learning_rate:g}")

    def in_cooldown(self):
        """Whether the last reduction is so recent that this epoch does not count."""
        return self.cooldown_counter > 0


@register("callbacks")
class LearningRateScheduler(Callback):
    """Set the learning rate before each epoch to ``schedule(epoch, learning_rate)`` (or ``schedule(epoch)``).

    Args:
        schedule: a function of the epoch, counted from 0, and the learning rate so far; returns the new one.
        verbose: 1 prints a line for each epoch.

    Adds the learning rate to the logs as "learning_rate". Raises TypeError if the schedule cannot be called, ValueError
    if it does not return a number that can be a learning rate.
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0):
        super().__init__()
        if not callable(schedule):
            raise TypeError(f"LearningRateScheduler: schedule must be a function, got {schedule!r}")
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch, logs=None):
        rate = self._scheduled(epoch, float(self.model.optimizer.learning_rate))
        if not isinstance(rate, Real) or isinstance(rate, bool):
            raise ValueError(f"LearningRateScheduler: the schedule must return a number, got {rate!r}")
        self.model.optimizer.learning_rate = rate
        if self.verbose > 0:
            say(f"Epoch {epoch + 1}: the learning rate is {rate:g}")

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)

    def _scheduled(self, epoch, rate):
        try:
            inspect.signature(self.schedule).bind(epoch, rate)
        except (TypeError, ValueError):
            # A schedule of the epoch alone, or (ValueError) a builtin without a signature. Calling it with both to find
            # out would hide TypeErrors of its own.
            return self.schedule(epoch)
        return self.schedule(epoch, rate)
