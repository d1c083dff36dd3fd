"""The lines that fit prints: live on a terminal, once per epoch elsewhere."""

import io

import pytest

from scratchnet.callbacks import progress
from scratchnet.callbacks.progress import ProgressBar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def run(verbose, stream, monkeypatch, steps=4, logs=None):
    clock = iter(range(100))
    monkeypatch.setattr(progress.time, "perf_counter", lambda: next(clock))  # a second passes at every look
    bar = ProgressBar(verbose, steps, epochs=2, stream=stream)
    bar.on_epoch_begin(0)
    for step in range(steps):
        bar.on_train_batch_end(step, {"loss": 0.5})
    bar.on_epoch_end(0, logs or {"loss": 0.5, "val_loss": 1.25e-5})
    return stream.getvalue()


def test_a_terminal_sees_every_step_on_one_line_with_the_time_that_is_left(monkeypatch):
    lines = run(1, Terminal(), monkeypatch).split("\r")
    assert lines[0] == "Epoch 1/2\n"
    assert lines[1].startswith("1/4 ━━━━━───────────────") and "3s 1s/step - loss: 0.5000" in lines[1]
    assert lines[-1].startswith("4/4 ━━━━━━━━━━━━━━━━━━━━ 5s 1s/step - loss: 0.5000 - val_loss: 1.2500e-05")
    assert lines[-1].endswith("\n")


def test_a_file_gets_one_complete_line_for_each_epoch(monkeypatch):
    printed = run(1, io.StringIO(), monkeypatch)
    assert printed.count("\n") == 2 and "\r" not in printed
    assert run(2, io.StringIO(), monkeypatch).splitlines()[1].startswith("4/4 - 5s 1s/step - loss: 0.5000")


def test_an_interrupted_epoch_ends_its_line(monkeypatch):
    stream = Terminal()
    bar = ProgressBar(1, 4, epochs=1, stream=stream)
    bar.on_epoch_begin(0)
    bar.on_train_interrupted()
    assert stream.getvalue().endswith("\n")


@pytest.mark.parametrize(("seconds", "text"), [(3.2, "3s"), (75, "1:15"), (3675, "1:01:15")])
def test_durations(seconds, text):
    assert progress._duration(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(2.0, "2s"), (0.0213, "21ms"), (0.0024, "2.4ms"), (5e-5, "50us")])
def test_step_times(seconds, text):
    assert progress._step_time(seconds) == text
