"""The bar: live in a terminal, a line elsewhere, whole at the end, and true about the time of a step."""

import io
import os
import shutil
import sys
from types import SimpleNamespace

import pytest

from scratchnet import kernels
from scratchnet.callbacks import progbar
from scratchnet.utils import Progbar


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A second passes at every look at the clock, and nothing is compiled."""
    ticks = iter(range(1000))
    monkeypatch.setattr(progbar, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    monkeypatch.setattr(kernels, "seconds_compiling", lambda: 0.0)


def open_terminal(monkeypatch, columns=80):
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda *_, **__: os.terminal_size((columns, 24)))
    return stream


def run(bar, steps=4, figures=(("loss", 0.5),), last=(("loss", 0.5), ("val_loss", 1.25e-5))):
    for step in range(1, steps + 1):
        bar.update(step, figures, finalize=False)
    bar.update(steps, last, finalize=True)


def test_a_terminal_sees_every_step_on_one_line_with_the_time_that_is_left(clock, monkeypatch):
    terminal = open_terminal(monkeypatch)
    run(Progbar(4))
    lines = terminal.getvalue().split("\r")
    assert lines[0] == ""
    assert lines[1] == "1/4 ━━━━━─────────────── 3s 1s/step - loss: 0.5000"
    assert lines[-1] == "4/4 ━━━━━━━━━━━━━━━━━━━━ 5s 1s/step - loss: 0.5000 - val_loss: 1.2500e-05\n"


@pytest.mark.parametrize("columns", [1, 20, 40, 60, 80, 200])
def test_the_last_line_is_whole_and_no_other_is_longer_than_the_terminal_is_wide(columns, clock, monkeypatch):
    terminal = open_terminal(monkeypatch, columns)
    figures = [(f"val_figure_{k}", float(k)) for k in range(4)]
    run(Progbar(4), figures=figures, last=figures)
    *lines, last = terminal.getvalue().split("\r")
    assert all(len(line) < columns for line in lines if line)
    for name, value in figures:
        assert f"{name}: {value:.4f}" in last
    assert last.startswith("4/4 ━━━━━") and last.endswith("\n")


def test_a_shorter_line_covers_a_longer_one(monkeypatch):
    terminal = open_terminal(monkeypatch)
    bar = Progbar(4, interval=0)
    bar.update(1, [("a_figure_that_goes", 1.0)])
    drawn = len(terminal.getvalue()) - 1
    bar._figures.clear()
    bar.update(2)
    assert len(terminal.getvalue().split("\r")[-1]) == drawn


def test_elsewhere_there_is_one_complete_line(capsys, clock):
    run(Progbar(4))
    assert capsys.readouterr().out == ("4/4 ━━━━━━━━━━━━━━━━━━━━ 5s 1s/step - loss: 0.5000 - val_loss: 1.2500e-05\n")
    run(Progbar(4, verbose=2))
    assert capsys.readouterr().out == "4/4 - 5s - 1s/step - loss: 0.5000 - val_loss: 1.2500e-05\n"
    run(Progbar(4, verbose=0))
    assert capsys.readouterr().out == ""


def test_an_output_that_is_not_unicode(monkeypatch, clock):
    output = io.TextIOWrapper(io.BytesIO(), "cp1252", newline="")
    monkeypatch.setattr(sys, "stdout", output)
    run(Progbar(4, width=8))
    assert output.buffer.getvalue().startswith(b"4/4 ======== 5s")


def test_compiling_is_no_part_of_the_time_of_a_step(capsys, clock, monkeypatch):
    compiling = iter([10.0, 13.0])
    monkeypatch.setattr(kernels, "seconds_compiling", lambda: next(compiling))
    Progbar(2).update(2)  # two looks at the clock, a second apart: less than what was compiled
    assert " 1s 0us/step\n" in capsys.readouterr().out
    compiling = iter([10.0, 10.5])
    Progbar(2).update(2)
    assert " 1s 250ms/step\n" in capsys.readouterr().out


def test_figures_are_means_over_the_steps_unless_they_are_stateful(capsys):
    def last_line(**options):
        bar = Progbar(5, **options)
        bar.update(1, [("a", 1.0), ("b", 1.0)])
        bar.add(3, [("a", 3.0), ("b", 3.0)])
        bar.target = None
        bar.update(5, [("b", 5.0)], finalize=True)
        return capsys.readouterr().out

    assert "a: 2.5000 - b: 5.0000" in last_line()
    assert "a: 3.0000 - b: 5.0000" in last_line(stateful_metrics=["a"])
    assert "a: 2.5000 - b: 5.0000" in last_line(stateless_metrics=["a"])
    assert "a: 3.0000 - b: 5.0000" in last_line(stateless_metrics=["b"])
    with pytest.raises(ValueError, match="not both"):
        Progbar(5, stateful_metrics=["a"], stateless_metrics=["b"])


def test_a_target_that_nobody_knows(clock, monkeypatch):
    terminal = open_terminal(monkeypatch)
    bar = Progbar(None, unit_name="row")
    bar.update(7, [("loss", 0.25)])
    assert terminal.getvalue() == "\r7/Unknown 1s 143ms/row - loss: 0.2500"
    bar.interrupt()
    assert terminal.getvalue().endswith("\n")
    bar.interrupt()
    assert not terminal.getvalue().endswith("\n\n")


def test_drawing_waits_for_the_interval(clock, monkeypatch):
    terminal = open_terminal(monkeypatch)
    bar = Progbar(10, interval=2.5)
    for step in range(1, 7):
        bar.update(step)
    assert terminal.getvalue().count("\r") == 2


@pytest.mark.parametrize(("seconds", "text"), [(3.2, "3s"), (75, "1:15"), (3675, "1:01:15")])
def test_durations(seconds, text):
    assert progbar._duration(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(2.0, "2s"), (0.0213, "21ms"), (0.0024, "2.4ms"), (5e-5, "50us")])
def test_step_times(seconds, text):
    assert progbar._step_time(seconds) == text
