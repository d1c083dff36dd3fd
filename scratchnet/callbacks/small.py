"""Callbacks of a few lines."""

import math

from scratchnet.callbacks.base import Callback


class TerminateOnNaN(Callback):
    """End the fit when the loss becomes NaN or infinite, instead of the error that fit raises without it."""

    def on_train_batch_end(self, batch, logs=None):
        if not math.isfinite((logs or {}).get("loss", 0.0)):
            print(f"Batch {batch}: the loss is not finite, training ends")
            self.model.stop_training = True


class LambdaCallback(Callback):
    """Functions as a callback: ``LambdaCallback(on_epoch_end=lambda epoch, logs: ...)``.

    Takes the name of any hook. Raises TypeError for a name that is none.
    """

    def __init__(self, **functions):
        super().__init__()
        for hook, function in functions.items():
            if not hook.startswith("on_") or not hasattr(Callback, hook):
                hooks = ", ".join(name for name in vars(Callback) if name.startswith("on_"))
                raise TypeError(f"LambdaCallback: {hook!r} is no hook; there are {hooks}")
            if function is not None:
                setattr(self, hook, function)
