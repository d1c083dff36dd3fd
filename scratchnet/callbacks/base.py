"""The base of all callbacks: methods that fit, evaluate and predict call."""

import copy
from typing import Any

from scratchnet.recorded import Recorded, from_recorded, recorded_config


class Callback(metaclass=Recorded, kind="callbacks"):
    """Base of all callbacks; override what you need.

    Before training, `model` (the model) and `params` (a dict with "verbose", "epochs", "steps") are set. `logs` is a
    dict of the figures so far under Keras's keys, empty where there are none yet. The callbacks that follow see what a
    callback adds to it. An exception in a hook ends fit.

    A callback whose state matters for the rest of a fit lists its attributes in `state_names`, for `BackupAndRestore`.
    """

    state_names = ()
    is_last = False  # whether it comes behind all others: it holds their state
    of_first_rank = False  # whether of several ranks the first alone calls it: what writes files of its own
    model = None
    params = {}  # of the fit; these two are set, never changed
    siblings = []  # all callbacks of the fit

    def __init__(self) -> None:  # an own callback need not call it
        pass

    def set_model(self, model: Any) -> None:
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params

    def get_config(self):
        """The constructor's arguments as JSON-able values."""
        return recorded_config(self)

    @classmethod
    def from_config(cls, config):
        """The callback with these arguments."""
        return from_recorded(cls, config)

    def get_state(self):
        """The state that a resumed fit needs: a dict of numbers, strings, None, arrays, or lists and dicts of these."""
        return {name: copy.copy(getattr(self, name)) for name in self.state_names}

    def set_state(self, state):
        """Restore the state that `get_state` returned."""
        for name in self.state_names:
            setattr(self, name, state[name])

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """At the start of fit."""

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """At the end of fit."""

    def on_train_interrupted(self):
        """Instead of `on_train_end`, when an exception or Ctrl-C ends fit: the place to close files.

        Keras has no such hook.
        """

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Before each epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """After each epoch and its validation."""

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Before each training step, counted from 0 in each epoch."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """After each training step."""
        self.on_batch_end(batch, logs=logs)

    def on_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """The old name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """The old name of `on_train_batch_end`."""

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """At the start of evaluate, or of the validation within fit."""

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """At the end of it."""

    def on_test_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Before each of its batches."""

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """After each of its batches."""

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        """At the start of predict."""

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        """At the end of it."""

    def on_predict_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Before each of its batches."""

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """After each of its batches."""
