"""Resuming a fit after a crash, as if the crash had not happened."""

import contextlib
import os
import re

import numpy as np

from scratchnet.callbacks.base import Callback
from scratchnet.files.archive import read_archive, write_archive
from scratchnet.hints import PathLike
from scratchnet.parallel.ranks import current_ranks
from scratchnet.registry import register

_ARRAY = "array of this archive"


@register("callbacks")
class BackupAndRestore(Callback):
    """Keep a backup of a fit. The same call in a new process resumes from the last backup.

    The backup, made when training begins and after each epoch, or each so many batches, holds all that the rest of the
    fit depends on: parameters, optimizer, random streams, the shuffling, the figures of an epoch that has begun, and
    the states of the other callbacks (see `Callback.get_state`). With the same number of threads
    (`scratchnet.get_num_threads`) times ranks, the result is that of a fit that was never interrupted, to the bit; with
    another number, sums of a batch's parts are rounded differently.

    That is promised for arrays, and for data whose batches depend on their number alone (a `PyDataset`): an epoch goes
    on with the batch behind the last one. Other data begin anew; of an epoch that has begun as many batches are taken
    and left out as it has had. So a data set that gives the same batches in every pass gives the same result too, and a
    generator, which has drawn for the epochs before, does not.

    Layers are matched by name, or in order if the names differ only in their automatic numbers (the same model made
    again in one process).

    Args:
        backup_dir: a folder for this fit alone; made if it is missing.
        save_freq: "epoch", or after how many batches to make a backup; they are counted on from epoch to epoch. (Keras
            begins the epoch again then, with the parameters of its midst.)
        double_checkpoint: taken as Keras's, which keeps two backups lest one be damaged while it is written; here the
            old one stays until the new one is complete.
        delete_checkpoint: whether to delete the backup when the fit has ended.

    Raises ValueError if the backup is damaged, or of another model or other callbacks.
    """

    state_names = ("_batches",)
    is_last = True

    def __init__(
        self,
        backup_dir: PathLike,
        save_freq: int | str = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ):
        super().__init__()
        if not backup_dir:
            raise ValueError("BackupAndRestore: backup_dir must name a folder")
        is_count = isinstance(save_freq, int) and not isinstance(save_freq, bool) and save_freq > 0
        if save_freq != "epoch" and not is_count:
            raise ValueError(f'BackupAndRestore: save_freq must be "epoch" or a number of batches, got {save_freq!r}')
        self.save_freq = save_freq
        self.backup_dir = os.fspath(backup_dir)
        self.path = os.path.join(self.backup_dir, "backup.npz")
        self.delete_checkpoint = delete_checkpoint
        self._batches = 0
        self._epoch = 0

    def on_train_begin(self, logs=None):
        ranks = current_ranks()
        if ranks.rank == 0:
            os.makedirs(self.backup_dir, exist_ok=True)  # before an epoch is lost to a missing folder
        if ranks.gather("whether there is a backup", os.path.exists(self.path))[0]:
            self._restore()
        else:
            self.model.optimizer.divide_among(ranks, self.model.trainable_params)
            self._back_up(self.model.first_epoch)

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq != "epoch":
            self._batches += 1
            if self._batches % self.save_freq == 0:
                self._back_up(self._epoch, batch + 1)

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self._back_up(epoch + 1)

    def _back_up(self, epoch, done=0):
        """Write a backup of the state before `epoch`, or after `done` batches of it."""
        arrays = {f"model/{key}": value for key, value in self.model.training_state().items()}
        callbacks = []
        for number, callback in enumerate(self._with_states()):
            state = _to_json(callback.get_state(), f"callback {number}", arrays)
            callbacks.append({"class": type(callback).__name__, "state": state})
        fit = {"epoch": epoch, "done": done, "stopped": bool(self.model.stop_training), "callbacks": callbacks}
        if done:
            fit["figures"] = _to_json(self.model.figures_so_far(), "figures", arrays)
        write_archive(self.path, "backup", arrays, {"fit": fit})

    def on_train_end(self, logs=None):
        if not self.delete_checkpoint or current_ranks().rank > 0:
            return
        for name in os.listdir(self.backup_dir):
            if name.startswith("backup.npz"):  # the backup, and what processes killed while they wrote it have left
                os.remove(os.path.join(self.backup_dir, name))
        with contextlib.suppress(OSError):  # it is not empty: not ours alone
            os.rmdir(self.backup_dir)

    def _restore(self):
        callbacks = self._with_states()
        try:
            arrays, texts = self._read()
            fit = texts["fit"]
            classes = [saved["class"] for saved in fit["callbacks"]]
            if classes != [type(callback).__name__ for callback in callbacks]:
                raise ValueError(f"it was made with the callbacks {', '.join(classes)}")
            states = [_from_json(saved["state"], arrays) for saved in fit["callbacks"]]
            begun = (fit["done"], _from_json(fit["figures"], arrays)) if fit["done"] else None
            state = {key.removeprefix("model/"): array for key, array in arrays.items() if key.startswith("model/")}
            self.model.set_training_state(_with_names_of(self.model, state))
            for callback, state in zip(callbacks, states):
                callback.set_state(state)
        except (ValueError, KeyError, TypeError) as problem:
            raise ValueError(
                f"BackupAndRestore: {self.path} cannot be restored ({problem}); delete it to start from the beginning"
            ) from problem
        self.model.first_epoch, self.model.begun_epoch = fit["epoch"], begun
        if fit["stopped"]:
            self.model.stop_training = True
            if begun is None:
                self.model.first_epoch = self.params["epochs"]  # there is nothing left to do

    def _read(self):
        """The content of the backup; the first of several ranks reads it for all."""
        ranks, found = current_ranks(), None
        if ranks.rank == 0:
            found = read_archive(self.path, "backup", texts=["fit"], prefixes=["model/", "callback ", "figures"])
        return ranks.gather("the backup", found)[0]

    def _with_states(self):
        """The callbacks of this fit that have a state to restore, this one among them."""
        return [
            callback
            for callback in self.siblings
            if callback.state_names or type(callback).get_state is not Callback.get_state
        ]


def _with_names_of(model, state):
    """`state` under the names of the layers of `model`, if the names differ only in automatic numbers."""
    saved = [key for key in state if key.startswith(("weights/", "random/")) and key != "random/shuffle"]
    own = [f"weights/{key}" for key in model.named_arrays()] + [f"random/{key}" for key in model.random_streams()]
    if set(saved) == set(own) or [_unnumbered(key) for key in saved] != [_unnumbered(key) for key in own]:
        return state  # nothing to do, or set_training_state says what differs
    names = dict(zip(saved, own))
    for key in state:
        if key.startswith("optimizer/") and key.count("/") > 1:  # optimizer/m/dense/kernel
            _, slot, weight = key.split("/", 2)
            names[key] = f"optimizer/{slot}/" + names[f"weights/{weight}"].removeprefix("weights/")
    return {names.get(key, key): array for key, array in state.items()}


def _unnumbered(key):
    return re.sub(r"_\d+(?=/)", "", key)


def _to_json(value, name, arrays):
    """`value` as JSON has it; arrays are put into the dict `arrays`, under names that begin with `name`."""
    if isinstance(value, dict):
        return {key: _to_json(entry, f"{name}/{key}", arrays) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_json(entry, f"{name}/{k}", arrays) for k, entry in enumerate(value)]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        arrays[name] = value
        return {_ARRAY: name}
    return value


def _from_json(value, arrays):
    """`_to_json` backwards."""
    if isinstance(value, dict):
        if value.keys() == {_ARRAY}:
            return arrays[value[_ARRAY]]
        return {key: _from_json(entry, arrays) for key, entry in value.items()}
    if isinstance(value, list):
        return [_from_json(entry, arrays) for entry in value]
    return value
