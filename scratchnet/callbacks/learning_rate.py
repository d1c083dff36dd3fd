"""Changing the learning rate while the model trains."""

from scratchnet.callbacks.base import Callback
from scratchnet.callbacks.monitor import Monitor


class ReduceLROnPlateau(Monitor):
    """Multiply the learning rate by `factor` when `monitor` has not become better for `patience` epochs.

    Args:
        monitor, mode, min_delta: see `Monitor`.
        factor: below 1.
        patience: epochs without improvement until then.
        verbose: 1 says so.
        cooldown: epochs after a reduction in which nothing is counted.
        min_lr: the learning rate does not go below.
    """

    state_names = ("best", "wait", "cooldown_counter")

    def __init__(
        self,
        monitor="val_loss",
        factor=0.1,
        patience=10,
        verbose=0,
        mode="auto",
        min_delta=1e-4,
        cooldown=0,
        min_lr=0.0,
    ):
        super().__init__(monitor, mode, min_delta)
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau: factor must be below 1, got {factor!r}")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr

    def on_train_begin(self, logs=None):
        self.best = self.worst
        self.wait = 0
        self.cooldown_counter = 0

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["learning_rate"] = self.model.optimizer.learning_rate
        current = self.figure(logs)
        if current is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improved(current, self.best):
            self.best = current
            self.wait = 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            rate = self.model.optimizer.learning_rate
            if self.wait >= self.patience and rate > self.min_lr:
                self.model.optimizer.learning_rate = max(rate * self.factor, self.min_lr)
                self.cooldown_counter = self.cooldown
                self.wait = 0
                if self.verbose > 0:
                    print(f"Epoch {epoch + 1}: the learning rate is now {self.model.optimizer.learning_rate:g}")


class LearningRateScheduler(Callback):
    """Set the learning rate before each epoch to ``schedule(epoch, learning_rate)`` (or ``schedule(epoch)``).

    Raises ValueError if the schedule does not return a number.
    """

    def __init__(self, schedule, verbose=0):
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch, logs=None):
        try:
            rate = self.schedule(epoch, self.model.optimizer.learning_rate)
        except TypeError:  # a schedule of the epoch alone
            rate = self.schedule(epoch)
        try:
            rate = float(rate)
        except (TypeError, ValueError):
            raise ValueError(f"LearningRateScheduler: the schedule must return a number, got {rate!r}") from None
        self.model.optimizer.learning_rate = rate
        if self.verbose > 0:
            print(f"Epoch {epoch + 1}: the learning rate is {rate:g}")

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["learning_rate"] = self.model.optimizer.learning_rate
