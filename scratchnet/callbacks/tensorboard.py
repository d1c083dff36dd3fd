"""Curves and histograms for TensorBoard."""

import os
import time
import warnings
from numbers import Real
from typing import Any

from scratchnet.callbacks.base import Callback
from scratchnet.callbacks.monitor import check_count
from scratchnet.files.events import EventWriter
from scratchnet.hints import PathLike
from scratchnet.registry import register


@register("callbacks")
class TensorBoard(Callback):
    """Write the figures of training into files that the program TensorBoard draws.

    ``tensorboard --logdir logs`` shows them; it is a package of its own, and is not needed to write.

    Args:
        log_dir: the folder; training writes into its folder "train", validation into "validation".
        histogram_freq: after how many epochs to write histograms of the parameters; 0: never.
        write_graph: taken as Keras's; a graph of TensorFlow does not exist here, `plot_model` draws the model.
        write_steps_per_second: whether to write how many training steps there are in a second, of each epoch, and, as
            often as `update_freq` says, of a step.
        update_freq: "epoch", "batch", or after how many batches to write the figures so far.
        write_images, profile_batch, embeddings_freq, embeddings_metadata: Keras's; nothing is written for them, and a
            warning says so.
    """

    of_first_rank = True
    state_names = ("_steps",)

    def __init__(
        self,
        log_dir: PathLike = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: int | str = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ):
        super().__init__()
        for name, value in (
            ("write_images", write_images),
            ("profile_batch", profile_batch),
            ("embeddings_freq", embeddings_freq),
            ("embeddings_metadata", embeddings_metadata),
        ):
            if value:
                warnings.warn(
                    f"TensorBoard: {name}={value!r} is left out; scratchnet does not write that", stacklevel=3
                )
        check_count(self, "histogram_freq", histogram_freq)
        if update_freq == "batch":
            update_freq = 1
        if update_freq != "epoch" and (not isinstance(update_freq, int) or update_freq < 1):
            raise ValueError(
                f'TensorBoard: update_freq must be "epoch", "batch" or a positive integer, got {update_freq!r}'
            )
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = update_freq
        self._writers = {}
        self._in_fit = False
        self._steps = 0  # training steps so far

    def on_train_begin(self, logs=None):
        self._in_fit = True
        self._steps = 0

    def on_train_end(self, logs=None):
        self._in_fit = False
        self._close()

    def on_train_interrupted(self):
        self.on_train_end()

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch_began, self._steps_before = time.perf_counter(), self._steps

    def on_train_batch_begin(self, batch, logs=None):
        self._batch_began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self._steps += 1
        if self.update_freq != "epoch" and self._steps % self.update_freq == 0:
            figures = {f"batch_{name}": value for name, value in (logs or {}).items()}
            if self.write_steps_per_second:
                figures["batch_steps_per_second"] = 1 / (time.perf_counter() - self._batch_began)
            self._scalars("train", figures, self._steps)

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        train = {f"epoch_{name}": value for name, value in logs.items() if not name.startswith("val_")}
        train["epoch_learning_rate"] = float(self.model.optimizer.learning_rate)
        if self.write_steps_per_second:
            seconds = time.perf_counter() - self._epoch_began
            train["epoch_steps_per_second"] = (self._steps - self._steps_before) / seconds
        validation = {f"epoch_{name[4:]}": value for name, value in logs.items() if name.startswith("val_")}
        self._scalars("train", train, epoch)
        self._scalars("validation", validation, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for key, parameter in self.model.params.items():
                self._writer("train").histogram(f"{key}/histogram", parameter, epoch)
            self._writer("train").flush()

    def on_test_end(self, logs=None):
        figures = {f"evaluation_{name}_vs_iterations": value for name, value in (logs or {}).items()}
        self._scalars("validation", figures, int(self.model.optimizer.iterations))
        if not self._in_fit:
            self._close()

    def _scalars(self, part, figures, step):
        for tag, value in figures.items():
            if isinstance(value, Real):
                self._writer(part).scalar(tag, value, step)
        if part in self._writers:
            self._writers[part].flush()

    def _writer(self, part):
        if part not in self._writers:
            self._writers[part] = EventWriter(os.path.join(self.log_dir, part))
        return self._writers[part]

    def _close(self):
        for writer in self._writers.values():
            writer.close()
        self._writers = {}
