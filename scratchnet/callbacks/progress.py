"""The lines that fit, evaluate and predict print."""

from scratchnet.callbacks.base import Callback
from scratchnet.callbacks.progbar import Progbar
from scratchnet.console import say
from scratchnet.registry import register


@register("callbacks")
class ProgbarLogger(Callback):
    """A bar (verbose 1) or a line (verbose 2) for each epoch of fit, and for each call of evaluate and predict.

    Each epoch of fit is announced, unless there is only one. The validation within fit is part of its epoch's line.
    """

    def __init__(self) -> None:
        super().__init__()
        self._steps = None
        self._bar = None
        self._in_fit = False

    def set_params(self, params):
        super().set_params(params)
        self._steps = params.get("steps")

    def on_train_begin(self, logs=None):
        self._in_fit = True

    def on_epoch_begin(self, epoch, logs=None):
        if self.params["verbose"] and self.params["epochs"] > 1:
            say(f"Epoch {epoch + 1}/{self.params['epochs']}")
        self._begin()

    def on_train_batch_end(self, batch, logs=None):
        self._update(batch, logs)

    def on_epoch_end(self, epoch, logs=None):
        self._end(logs)

    def on_train_end(self, logs=None):
        self._in_fit = False

    def on_train_interrupted(self):
        self._in_fit = False
        if self._bar is not None:
            self._bar.interrupt()

    def on_test_begin(self, logs=None):
        if not self._in_fit:
            self._begin()

    def on_test_batch_end(self, batch, logs=None):
        if not self._in_fit:
            self._update(batch, logs)

    def on_test_end(self, logs=None):
        if not self._in_fit:
            self._end(logs)

    def on_predict_begin(self, logs=None):
        self._begin()

    def on_predict_batch_end(self, batch, logs=None):
        self._update(batch)  # the logs hold outputs, not figures

    def on_predict_end(self, logs=None):
        self._end()

    def _begin(self):
        self._bar = Progbar(self._steps, verbose=self.params["verbose"], stateless_metrics=())
        self._done = 0

    def _update(self, batch, logs=None):
        self._done = batch + 1
        self._bar.update(self._done, (logs or {}).items(), finalize=False)

    def _end(self, logs=None):
        if self._steps is None:  # data of unknown length have ended; the next epoch will be as long
            self._steps = self._bar.target = self._done
        self._bar.update(self._done, (logs or {}).items(), finalize=True)
