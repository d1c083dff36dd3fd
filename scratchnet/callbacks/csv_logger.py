"""The figures of every epoch as a table on disk."""

import csv
import os

from scratchnet.callbacks.base import Callback


class CSVLogger(Callback):
    """Write a row for each epoch to a CSV file.

    Args:
        filename: the file.
        separator: between the columns.
        append: whether to go on with an existing file; its heading decides the columns.
    """

    def __init__(self, filename, separator=",", append=False):
        super().__init__()
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = append
        self._file = None

    def on_train_begin(self, logs=None):
        self._writer = None
        self._keys = None
        mode = "w"
        if self.append and os.path.exists(self.filename) and os.path.getsize(self.filename):
            with open(self.filename, newline="") as file:
                self._keys = next(csv.reader(file, delimiter=self.separator))[1:]
            mode = "a"
        self._file = open(self.filename, mode, newline="")

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if self._writer is None:
            fresh = self._keys is None
            self._keys = sorted(logs) if fresh else self._keys
            self._writer = csv.DictWriter(
                self._file, ["epoch", *self._keys], restval="NA", extrasaction="ignore", delimiter=self.separator
            )
            if fresh:
                self._writer.writeheader()
        self._writer.writerow({"epoch": epoch, **logs})
        self._file.flush()
        self.append = True  # a second fit goes on below the first

    def on_train_end(self, logs=None):
        if self._file is not None:
            self._file.close()
            self._file = None

    def on_train_interrupted(self):
        self.on_train_end()
