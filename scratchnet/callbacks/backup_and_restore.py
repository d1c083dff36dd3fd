"""Going on after a crash as if it had not happened."""

import os

import numpy as np

from scratchnet.archive import read_archive, write_archive
from scratchnet.callbacks.base import Callback


class BackupAndRestore(Callback):
    """Keep a backup of a fit; the same call in a new process goes on after the last epoch that was finished.

    The backup holds all that the rest of the fit depends on: parameters, optimizer, random streams, the shuffling, and
    the states of the other callbacks. The result is that of a fit that was never interrupted, to the bit.

    Args:
        backup_dir: a folder for this fit alone; made if it is missing.
        save_freq: "epoch". Keras's number of batches is refused: a fit goes on at the beginning of an epoch.
        double_checkpoint: Keras's; only False.
        delete_checkpoint: whether to delete the backup when the fit has ended.

    Raises ValueError if the backup is damaged, or of another model or other callbacks.
    """

    def __init__(self, backup_dir, save_freq="epoch", double_checkpoint=False, delete_checkpoint=True):
        super().__init__()
        if not backup_dir:
            raise ValueError("BackupAndRestore: backup_dir must name a folder")
        if save_freq != "epoch":
            raise ValueError(f'BackupAndRestore: only save_freq="epoch" is implemented in scratchnet, got {save_freq!r}')
        if double_checkpoint:
            raise ValueError("BackupAndRestore: Keras's double_checkpoint is not implemented in scratchnet")
        self.backup_dir = os.fspath(backup_dir)
        self.path = os.path.join(self.backup_dir, "backup.npz")
        self.delete_checkpoint = delete_checkpoint

    def on_train_begin(self, logs=None):
        if os.path.exists(self.path):
            self._restore()

    def on_epoch_end(self, epoch, logs=None):
        arrays = {f"model/{key}": value for key, value in self.model.training_state().items()}
        callbacks = []
        for number, callback in enumerate(self._others()):
            state = callback.get_state()
            for key, value in state.items():
                if isinstance(value, list) and value and isinstance(value[0], np.ndarray):
                    state[key] = {"number_of_arrays": len(value)}
                    arrays.update((f"callback {number}/{key}/{k}", array) for k, array in enumerate(value))
            callbacks.append({"class": type(callback).__name__, "state": state})
        fit = {"epoch": epoch, "stopped": self.model.stop_training, "callbacks": callbacks}
        os.makedirs(self.backup_dir, exist_ok=True)
        write_archive(self.path, "backup", arrays, {"fit": fit})

    def on_train_end(self, logs=None):
        if self.delete_checkpoint and os.path.exists(self.path):
            os.remove(self.path)

    def _restore(self):
        try:
            arrays, texts = read_archive(self.path, "backup")
            fit, others = texts["fit"], self._others()
            classes = [saved["class"] for saved in fit["callbacks"]]
            if classes != [type(callback).__name__ for callback in others]:
                raise ValueError(f"it was made with the callbacks {', '.join(classes)}")
            self.model.set_training_state(
                {key.removeprefix("model/"): array for key, array in arrays.items() if key.startswith("model/")}
            )
            for number, (saved, callback) in enumerate(zip(fit["callbacks"], others)):
                state = saved["state"]
                for key, value in state.items():
                    if isinstance(value, dict) and "number_of_arrays" in value:
                        state[key] = [arrays[f"callback {number}/{key}/{k}"] for k in range(value["number_of_arrays"])]
                callback.set_state(state)
        except (ValueError, KeyError) as problem:
            raise ValueError(
                f"BackupAndRestore: {self.path} cannot be restored ({problem}); delete it to start from the beginning"
            ) from problem
        self.model._initial_epoch = self.params["epochs"] if fit["stopped"] else fit["epoch"] + 1

    def _others(self):
        """The callbacks of this fit whose state decides how it goes on."""
        return [callback for callback in self.siblings if callback.state_names]
