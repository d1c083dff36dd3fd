"""The lines that fit, evaluate and predict print, in the form that Keras users know."""

import shutil
import sys
import time

from scratchnet.callbacks import Callback


class ProgressBar(Callback):
    """A live bar (verbose 1) or a line for each epoch (verbose 2) on standard output.

    Where the output is not a terminal, the bar is printed once, complete, at the end of each epoch.
    """

    def __init__(self, verbose, steps, epochs=None, stream=None):
        super().__init__()
        self.verbose = verbose
        self.steps = steps
        self.epochs = epochs
        self.stream = sys.stdout if stream is None else stream
        self.live = verbose == 1 and self.stream.isatty()
        self._drawn = 0

    def on_epoch_begin(self, epoch, logs=None):
        if self.epochs is not None:
            self.stream.write(f"Epoch {epoch + 1}/{self.epochs}\n")
            self.stream.flush()
        self._start()

    def on_train_batch_end(self, batch, logs=None):
        self._step(batch, logs)

    def on_epoch_end(self, epoch, logs=None):
        self._finish(logs)

    def on_train_interrupted(self):
        self.stream.write("\n")
        self.stream.flush()

    def on_test_begin(self, logs=None):
        if self.epochs is None:  # the validation within fit is part of its epoch's line
            self._start()

    def on_test_batch_end(self, batch, logs=None):
        if self.epochs is None:
            self._step(batch, logs)

    def on_test_end(self, logs=None):
        if self.epochs is None:
            self._finish(logs)

    on_predict_begin, on_predict_batch_end, on_predict_end = on_test_begin, on_test_batch_end, on_test_end

    def _start(self):
        self._began = self._drawn_at = time.perf_counter()
        self._done = 0

    def _step(self, batch, logs):
        self._done = batch + 1
        now = time.perf_counter()
        if self.live and now - self._drawn_at > 0.1:
            self._drawn_at = now
            seconds = (now - self._began) / self._done
            left = _duration(seconds * (self.steps - self._done))
            self._draw(f"{left} {_step_time(seconds)}/step", logs)

    def _finish(self, logs):
        elapsed = time.perf_counter() - self._began
        time_text = f"{_duration(elapsed)} {_step_time(elapsed / max(self._done, 1))}/step"
        if self.verbose == 1:
            self._draw(time_text, logs)
        else:
            self.stream.write(f"{self._done}/{self.steps} - {time_text}{_figures(logs)}")
        self.stream.write("\n")
        self._drawn = 0
        self.stream.flush()

    def _draw(self, time_text, logs):
        head, tail = f"{self._done}/{self.steps} ", f" {time_text}{_figures(logs)}"
        columns = shutil.get_terminal_size((80, 24)).columns if self.live else 80
        width = max(min(20, columns - len(head) - len(tail) - 1), 5)
        full = round(width * self._done / max(self.steps, 1))
        line = head + "━" * full + "─" * (width - full) + tail
        if self.live:
            line = line[: columns - 1]
            self.stream.write("\r" + line.ljust(self._drawn))
            self._drawn = len(line)
        else:
            self.stream.write(line)
        self.stream.flush()


def _figures(logs):
    return "".join(f" - {key}: {_figure(value)}" for key, value in (logs or {}).items() if isinstance(value, float))


def _figure(value):
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e5 else f"{value:.4e}"


def _duration(seconds):
    if seconds < 60:
        return f"{seconds:.0f}s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _step_time(seconds):
    if seconds >= 1:
        return f"{seconds:.0f}s"
    return (
        f"{seconds * 1e3:.0f}ms"
        if seconds >= 1e-2
        else f"{seconds * 1e3:.1f}ms"
        if seconds >= 1e-4
        else f"{seconds * 1e6:.0f}us"
    )
