"""Saving the model while it trains."""

import os

from scratchnet.callbacks.monitor import Monitor
from scratchnet.console import say
from scratchnet.files.formats import promised_by
from scratchnet.hints import PathLike
from scratchnet.parallel.ranks import current_ranks
from scratchnet.registry import register


@register("callbacks")
class ModelCheckpoint(Monitor):
    """Save the model after every epoch, or only when `monitor` has improved.

    Args:
        filepath: where to; may contain ``{epoch:02d}`` and, with a `save_freq` in batches, ``{batch}`` (both counted
            from 1), and keys of the logs such as ``{val_loss:.2f}``. Missing folders are made.
        monitor, mode: see `Monitor`; used with `save_best_only`. A model without that figure is saved anyway.
        verbose: 1 prints a line for each saved file.
        save_best_only: whether to save only improvements.
        save_weights_only: whether to save the parameters alone.
        save_freq: "epoch", or after how many batches to save; they are counted on from epoch to epoch.
        initial_value_threshold: a figure that the first saved model has to beat.

    Raises ValueError for an ending of `filepath` that cannot be written, and KeyError, naming the key, if it asks for a
    figure that the logs do not have.
    """

    state_names = ("best", "_batches")

    def __init__(
        self,
        filepath: PathLike,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: int | str = "epoch",
        initial_value_threshold: float | None = None,
    ):
        super().__init__(monitor, mode)
        if save_freq != "epoch" and (not isinstance(save_freq, int) or save_freq < 1):
            raise ValueError(f'ModelCheckpoint: save_freq must be "epoch" or a positive integer, got {save_freq!r}')
        self.filepath = os.fspath(filepath)
        if "}" not in os.path.splitext(self.filepath)[1]:
            promised_by(self.filepath, save_weights_only)  # what cannot be written is told before the training
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self.best = initial_value_threshold
        self._batches = 0
        self._epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq != "epoch":
            self._batches += 1
            if self._batches % self.save_freq == 0:
                self._consider(self._epoch, {"batch": batch + 1, **(logs or {})})

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self._consider(epoch, logs or {})

    def _consider(self, epoch, logs):
        """Save the model if this is the time to."""
        reason = ""
        if self.save_best_only:
            current = self.figure(logs)
            if current is not None:
                if not self.improved(current, self.best):
                    self._say(epoch, f"{self.monitor} is {current:.5g}, not better than {_short(self.best)}")
                    return
                reason = f"{self.monitor} went from {_short(self.best)} to {current:.5g}, "
                self.best = current
        path = self._path(epoch, logs)
        self._say(epoch, f"{reason}saving to {path}")
        if current_ranks().rank == 0:
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)

    def _path(self, epoch, logs):
        try:
            return self.filepath.format(epoch=epoch + 1, **logs)
        except KeyError as missing:
            available = ", ".join(["epoch", *logs])
            raise KeyError(
                f"ModelCheckpoint: the file name {self.filepath!r} asks for {missing}; there are {available}"
            ) from None

    def _say(self, epoch, what):
        if self.verbose > 0:
            say(f"Epoch {epoch + 1}: {what}")


def _short(figure):
    return "none" if figure is None else f"{figure:.5g}"
