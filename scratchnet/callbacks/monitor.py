"""What the callbacks have in common that watch one figure: which way is better, and whether it became better."""

import math
import warnings

from scratchnet.callbacks.base import Callback


class Monitor(Callback):
    """Base of the callbacks that watch ``logs[monitor]``.

    Args:
        monitor: the key of the figure.
        mode: "min", "max", or "auto": max for accuracies and the like, else min.
        min_delta: by how much the figure must be better to count.
    """

    def __init__(self, monitor, mode, min_delta=0.0):
        super().__init__()
        name = type(self).__name__
        if mode not in ("auto", "min", "max"):
            raise ValueError(f'{name}: mode must be "auto", "min" or "max", got {mode!r}')
        if mode == "auto":
            maximized = ("accuracy", "acc", "auc", "precision", "recall", "f1", "similarity")
            mode = "max" if any(monitor.endswith(word) for word in maximized) else "min"
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(min_delta)
        self._warned = False

    @property
    def worst(self):
        """What every figure is better than."""
        return math.inf if self.mode == "min" else -math.inf

    def improved(self, current, best):
        """Whether `current` is better than `best` by more than `min_delta`; NaN never is."""
        return current < best - self.min_delta if self.mode == "min" else current > best + self.min_delta

    def figure(self, logs):
        """The watched figure, or None, with a warning the first time, where the logs do not have it."""
        value = (logs or {}).get(self.monitor)
        if value is None and not self._warned:
            self._warned = True
            warnings.warn(
                f"{type(self).__name__}: there is no {self.monitor!r} in the logs; there are {', '.join(logs or {})}",
                stacklevel=2,
            )
        return value
