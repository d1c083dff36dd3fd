"""Callbacks of a few lines."""

import math
from collections.abc import Callable
from typing import Any

from scratchnet.callbacks.base import Callback
from scratchnet.console import say
from scratchnet.registry import register


@register("callbacks")
class TerminateOnNaN(Callback):
    """End the fit when the loss becomes NaN or infinite. (Without this callback fit raises an error.)

    Args:
        raise_error: whether to raise RuntimeError, so that `on_train_end` of the other callbacks is not called.
            Otherwise the fit ends as if its epochs were over.
    """

    def __init__(self, raise_error: bool = False):
        super().__init__()
        self.raise_error = raise_error

    def on_train_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss", 0.0)
        if math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"TerminateOnNaN: the loss is {loss} at batch {batch}")
        say(f"Batch {batch}: the loss is not finite, training ends")
        self.model.stop_training = True


@register("callbacks")
class LambdaCallback(Callback):
    """Functions as a callback: ``LambdaCallback(on_epoch_end=lambda epoch, logs: ...)``.

    Each argument is named after a hook. Raises TypeError for another name, or a value that cannot be called.
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs,
    ):
        super().__init__()
        functions = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        for hook, function in functions.items():
            if not hook.startswith("on_") or not hasattr(Callback, hook):
                hooks = ", ".join(name for name in vars(Callback) if name.startswith("on_"))
                raise TypeError(f"LambdaCallback: {hook!r} is no hook; there are {hooks}")
            if function is None:
                continue
            if not callable(function):
                raise TypeError(f"LambdaCallback: {hook} must be a function, got {function!r}")
            setattr(self, hook, function)
