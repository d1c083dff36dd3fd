"""The figures of every epoch as a table on disk."""

import csv
import os

from scratchnet.callbacks.base import Callback
from scratchnet.hints import PathLike
from scratchnet.registry import register


@register("callbacks")
class CSVLogger(Callback):
    """Write a row for each epoch to a CSV file; a missing figure is written as "NA".

    Args:
        filename: the file; its folder must exist.
        separator: between the columns, a single character.
        append: whether to add rows to an existing file, whose heading then decides the columns; otherwise each fit
            starts the file anew.

    Raises ValueError if the existing file has no heading of this kind.
    """

    of_first_rank = True
    state_names = ("_size",)

    def __init__(self, filename: PathLike, separator: str = ",", append: bool = False):
        super().__init__()
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = append
        self._size = None  # bytes of the file up to the end of the last row that counts
        self._file = None

    def on_train_begin(self, logs=None):
        self._close()
        self._columns = None
        self._file = open(self.filename, "a", newline="", encoding="utf-8")
        self._size = os.path.getsize(self.filename) if self.append else 0

    def on_epoch_begin(self, epoch, logs=None):
        if self._columns is not None:
            return
        self._columns = []
        # BackupAndRestore may have set the size back since: rows of epochs that are now repeated go.
        self._file.truncate(min(self._size, os.path.getsize(self.filename)))
        if os.path.getsize(self.filename):
            with open(self.filename, newline="", encoding="utf-8") as file:
                self._columns = next(csv.reader(file, delimiter=self.separator))
            if self._columns[:1] != ["epoch"]:
                raise ValueError(
                    f"CSVLogger: cannot go on with {self.filename}: its first line is no heading that starts with "
                    f"'epoch' and separates columns by {self.separator!r}"
                )

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        heading = not self._columns
        if heading:
            keys = sorted(logs)
            if not any(key.startswith("val_") for key in keys):
                keys += [f"val_{key}" for key in keys]  # a later epoch may be the first to be validated
            self._columns = ["epoch", *keys]
        writer = csv.DictWriter(
            self._file, self._columns, restval="NA", extrasaction="ignore", delimiter=self.separator
        )
        try:
            if heading:
                writer.writeheader()
            writer.writerow({"epoch": epoch, **logs})
            self._file.flush()
        except OSError as problem:  # a full disk
            raise OSError(problem.errno, problem.strerror, self.filename) from problem
        self._size = os.path.getsize(self.filename)

    def on_train_end(self, logs=None):
        self._close()

    def on_train_interrupted(self):
        self._close()

    def _close(self):
        if self._file is not None:
            self._file.close()
            self._file = None
