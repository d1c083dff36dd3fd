"""The base of callbacks that watch one figure: which direction is better, and whether the figure has improved."""

import math
import re
import warnings
from numbers import Real

import numpy as np

from scratchnet.callbacks.base import Callback

# By the last word of a figure's name: val_sparse_categorical_accuracy, out_1_cosine_similarity, mean_squared_error.
_LARGER_IS_BETTER = {"acc", "accuracy", "auc", "precision", "recall", "score", "similarity"}
_SMALLER_IS_BETTER = {"bce", "ce", "crossentropy", "divergence", "error", "huber", "kld", "loss", "mae", "mse", "rmse"}


class Monitor(Callback):
    """Base of the callbacks that watch ``logs[monitor]``.

    Args:
        monitor: the key of the figure.
        mode: "min", "max", or "auto": by the figure's name, min for losses and errors, max for accuracies and the like.
        min_delta: by how much the figure must be better to count.

    An unknown mode is "auto", with a warning. Raises ValueError for "auto" with a name that does not say which way is
    better.
    """

    def __init__(self, monitor: str, mode: str, min_delta: float = 0.0):
        super().__init__()
        self.monitor = monitor
        if mode not in ("auto", "min", "max"):
            warnings.warn(f'{type(self).__name__}: mode must be "auto", "min" or "max", not {mode!r}', stacklevel=3)
            mode = "auto"
        self.mode = self._mode_of(monitor) if mode == "auto" else mode
        self.min_delta = abs(min_delta)
        self._warned = False

    def _mode_of(self, monitor):
        unnumbered = re.sub(r"_\d+$", "", monitor.lower())
        last_word = unnumbered.rsplit("_", 1)[-1]
        if last_word in _LARGER_IS_BETTER:
            return "max"
        if last_word in _SMALLER_IS_BETTER:
            return "min"
        raise ValueError(
            f"{type(self).__name__}: the name {monitor!r} does not say whether larger or smaller is better; "
            'pass mode="max" or mode="min"'
        )

    @property
    def monitor_op(self):
        """The comparison that is true if its first argument is better than its second."""
        return np.less if self.mode == "min" else np.greater

    def improved(self, current, best):
        """Whether `current` is better than `best` (or `best` is None) by more than `min_delta`; NaN never is."""
        if best is None:
            return not math.isnan(current)
        return current + self.min_delta < best if self.mode == "min" else current - self.min_delta > best

    def figure(self, logs):
        """The watched figure; None, and a warning the first time, if the logs do not have it."""
        value = logs.get(self.monitor)
        if value is None and not self._warned:
            self._warned = True
            warnings.warn(
                f"{type(self).__name__}: there is no {self.monitor!r} in the logs; there are {', '.join(logs)}",
                stacklevel=2,
            )
        return value


def check_count(owner, argument, value):
    """Raise ValueError, naming the callback and its argument, unless `value` is a number of at least 0."""
    if isinstance(value, bool) or not isinstance(value, Real) or not value >= 0:
        raise ValueError(f"{type(owner).__name__}: {argument} must be a number of at least 0, got {value!r}")
