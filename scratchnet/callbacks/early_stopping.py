"""Stopping when training no longer helps."""

from scratchnet.callbacks.monitor import Monitor, check_count
from scratchnet.console import say
from scratchnet.registry import register


@register("callbacks")
class EarlyStopping(Monitor):
    """Stop fit when `monitor` has not improved for `patience` epochs.

    Args:
        monitor, min_delta, mode: which figure, and what better means; see `Monitor`.
        patience: the number of epochs without improvement after which training stops.
        verbose: 1 prints a line when that happens.
        baseline: only an improvement on this figure resets the patience.
        restore_best_weights: whether to go back to the parameters of the best epoch at the end.
        start_from_epoch: the number of epochs at the beginning that do not count.

    After a fit, `stopped_epoch` is the epoch (from 0) after which it was stopped, or 0; `best` and `best_epoch` are the
    best figure and its epoch.
    """

    state_names = ("wait", "stopped_epoch", "best", "best_epoch", "best_weights")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ):
        super().__init__(monitor, mode, min_delta)
        check_count(self, "patience", patience)
        check_count(self, "start_from_epoch", start_from_epoch)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._start()

    def on_train_begin(self, logs=None):
        self._start()  # an object may serve several fits

    def _start(self):
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights = None

    def get_monitor_value(self, logs):
        """The watched figure, or None with a warning."""
        return self.figure(logs or {})

    def on_epoch_end(self, epoch, logs=None):
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self.improved(current, self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.improved(current, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self.stopped_epoch > 0 and self.verbose > 0:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                say(f"Restoring the weights of the best epoch, {self.best_epoch + 1}")
            self.model.set_weights(self.best_weights)
