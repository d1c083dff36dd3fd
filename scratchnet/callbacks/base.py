"""What fit calls at its milestones."""

import copy


class Callback:
    """Base of all callbacks; override what you need.

    Before training, `model` (the model) and `params` (a dict with "verbose", "epochs", "steps") are set. `logs` are the
    figures so far under Keras's keys. A callback whose state decides how a fit goes on names it in `state_names`.
    """

    state_names = ()

    def __init__(self):
        self.model = None
        self.params = {}
        self.siblings = []

    def set_model(self, model):
        self.model = model

    def set_params(self, params):
        self.params = params

    def get_state(self):
        """What a resumed fit must continue from: a dict of numbers, strings, lists, arrays or None."""
        return {name: copy.copy(getattr(self, name)) for name in self.state_names}

    def set_state(self, state):
        """Go on from `get_state`."""
        for name in self.state_names:
            setattr(self, name, state[name])

    def on_train_begin(self, logs=None):
        """At the start of fit."""

    def on_train_end(self, logs=None):
        """At the end of fit."""

    def on_train_interrupted(self):
        """Instead of `on_train_end`, when an exception or Ctrl-C ends fit: the place to close files. (Keras has no such hook.)"""

    def on_epoch_begin(self, epoch, logs=None):
        """Before each epoch, counted from 0."""

    def on_epoch_end(self, epoch, logs=None):
        """After each epoch and its validation."""

    def on_train_batch_begin(self, batch, logs=None):
        """Before each training step, counted from 0 in each epoch."""

    def on_train_batch_end(self, batch, logs=None):
        """After each training step."""

    def on_test_begin(self, logs=None):
        """At the start of evaluate, or of the validation within fit."""

    def on_test_end(self, logs=None):
        """At the end of it."""

    def on_test_batch_begin(self, batch, logs=None):
        """Before each of its batches."""

    def on_test_batch_end(self, batch, logs=None):
        """After each of its batches."""

    def on_predict_begin(self, logs=None):
        """At the start of predict."""

    def on_predict_end(self, logs=None):
        """At the end of it."""

    def on_predict_batch_begin(self, batch, logs=None):
        """Before each of its batches."""

    def on_predict_batch_end(self, batch, logs=None):
        """After each of its batches."""


class CallbackList(Callback):
    """Several callbacks as one: each hook calls that of every callback, in order."""

    def __init__(self, callbacks, model, params):
        super().__init__()
        for callback in callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"callbacks must be Callback objects, got {callback!r}")
        self.callbacks = list(callbacks)
        self.set_model(model)
        self.set_params(params)
        for callback in self.callbacks:
            callback.set_model(model)
            callback.set_params(params)
            callback.siblings = self.callbacks

    def __iter__(self):
        return iter(self.callbacks)


def _forward_to_all(hook):
    def call(self, *args, **kwargs):
        for callback in self.callbacks:
            getattr(callback, hook)(*args, **kwargs)

    call.__name__ = hook
    return call


for _hook in [name for name in vars(Callback) if name.startswith("on_")]:
    setattr(CallbackList, _hook, _forward_to_all(_hook))
