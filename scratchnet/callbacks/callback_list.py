"""Several callbacks as one."""

from scratchnet.callbacks.base import Callback
from scratchnet.callbacks.history import History
from scratchnet.callbacks.progress import ProgbarLogger
from scratchnet.parallel.ranks import current_ranks


class CallbackList(Callback):
    """Several callbacks as one: each hook calls that of every callback, in order; `logs` is always a dict.

    Args:
        callbacks: a `Callback` or a list of them.
        add_history: whether to append a `History`, unless there is one.
        add_progbar: whether to append a `ProgbarLogger`, unless there is one.
        model: the model that they are given.
        params: the dict that they are given: verbose, epochs, steps.

    Raises TypeError for an entry that is no `Callback`.
    """

    def __init__(self, callbacks=None, add_history=False, add_progbar=False, model=None, **params):
        super().__init__()
        callbacks = [] if callbacks is None else callbacks
        self.callbacks = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"callbacks must be Callback objects, got {callback!r}")
        for cls, wanted in ((History, add_history), (ProgbarLogger, add_progbar)):
            if wanted and not any(isinstance(callback, cls) for callback in self.callbacks):
                self.callbacks.append(cls())
        for callback in self.callbacks:
            callback.siblings = self.callbacks
        self._called = [c for c in self.callbacks if current_ranks().rank == 0 or not c.of_first_rank]
        self.set_model(model)
        self.set_params(params)

    def __iter__(self):
        return iter(self.callbacks)

    @property
    def wants_logs_of_batches(self):
        """Whether a callback does anything at the end of a training step."""
        hooks = Callback.on_train_batch_end, Callback.on_batch_end
        found = [getattr(c, hook.__name__) for c in self._called for hook in hooks]
        return any(getattr(method, "__func__", None) not in hooks for method in found)

    def set_model(self, model):
        super().set_model(model)
        for callback in self.callbacks:
            callback.set_model(model)

    def set_params(self, params):
        super().set_params(params)
        for callback in self.callbacks:
            callback.set_params(params)

    def on_train_interrupted(self):
        for callback in self._called:
            callback.on_train_interrupted()

    def on_train_begin(self, logs=None):
        logs = {} if logs is None else logs
        for callback in self._called:
            callback.on_train_begin(logs)

    def on_train_end(self, logs=None):
        logs = {} if logs is None else logs
        for callback in self._called:
            callback.on_train_end(logs)

    def on_epoch_begin(self, epoch, logs=None):
        logs = {} if logs is None else logs
        for callback in self._called:
            callback.on_epoch_begin(epoch, logs)

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        for callback in self._called:
            callback.on_epoch_end(epoch, logs)

    def on_train_batch_begin(self, batch, logs=None):
        logs = {} if logs is None else logs
        for callback in self._called:
            callback.on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        logs = {} if logs is None else logs
        for callback in self._called:
            callback.on_train_batch_end(batch, logs)

    def on_batch_begin(self, batch, logs=None):
        logs = {} if logs is None else logs
        for callback in self._called:
            callback.on_batch_begin(batch, logs)

    def on_batch_end(self, batch, logs=None):
        logs = {} if logs is None else logs
        for callback in self._called:
            callback.on_batch_end(batch, logs)

    def on_test_begin(self, logs=None):
        logs = {} if logs is None else logs
        for callback in self._called:
            callback.on_test_begin(logs)

    def on_test_end(self, logs=None):
        logs = {} if logs is None else logs
        for callback in self._called:
            callback.on_test_end(logs)

    def on_test_batch_begin(self, batch, logs=None):
        logs = {} if logs is None else logs
        for callback in self._called:
            callback.on_test_batch_begin(batch, logs)

    def on_test_batch_end(self, batch, logs=None):
        logs = {} if logs is None else logs
        for callback in self._called:
            callback.on_test_batch_end(batch, logs)

    def on_predict_begin(self, logs=None):
        logs = {} if logs is None else logs
        for callback in self._called:
            callback.on_predict_begin(logs)

    def on_predict_end(self, logs=None):
        logs = {} if logs is None else logs
        for callback in self._called:
            callback.on_predict_end(logs)

    def on_predict_batch_begin(self, batch, logs=None):
        logs = {} if logs is None else logs
        for callback in self._called:
            callback.on_predict_batch_begin(batch, logs)

    def on_predict_batch_end(self, batch, logs=None):
        logs = {} if logs is None else logs
        for callback in self._called:
            callback.on_predict_batch_end(batch, logs)
