"""Text reaches whatever stands in for standard output, in characters that it has."""

import io
import sys

import pytest

from scratchnet import config, console
from scratchnet.utils import Progbar


def stream(encoding):
    return io.TextIOWrapper(io.BytesIO(), encoding, newline="")


def written(output):
    output.flush()
    return output.buffer.getvalue().decode(output.encoding)


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("utf-8", "┌─┬─┐ 2/4 ━━── é"),
        ("cp1252", "+-+-+ 2/4 ==-- é"),
        ("latin-1", "+-+-+ 2/4 ==-- é"),
        ("ascii", "+-+-+ 2/4 ==-- \\xe9"),
    ],
)
def test_lines_are_drawn_in_characters_that_the_output_has(encoding, expected):
    output = stream(encoding)
    console.write("┌─┬─┐ 2/4 ━━── é", output)
    assert written(output) == expected


def test_standard_output_is_looked_up_when_something_is_said(monkeypatch, capsys):
    console.say("here")
    assert capsys.readouterr().out == "here\n"
    monkeypatch.setattr(sys, "stdout", None)  # pythonw has none
    console.say("nowhere")


def test_a_print_function_of_ones_own_gets_plain_lines_if_it_cannot_take_others(capsys):
    lines = []
    console.say_by(lines.append, "│ a │")
    output = stream("cp1252")
    console.say_by(output.write, "│ a │")
    assert lines == ["│ a │"] and written(output) == "| a |"
    console.say_by(None, "│ a │")
    assert capsys.readouterr().out == "│ a │\n"


def notebook_stream():
    return type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()


def test_remarks_go_to_standard_error_but_in_a_notebook_beside_the_output(monkeypatch, capsys):
    console.tell("a remark")
    assert capsys.readouterr().err == "a remark\n"
    output = notebook_stream()
    monkeypatch.setattr(sys, "stdout", output)
    console.tell("a remark")
    assert output.getvalue() == "a remark\n"


def test_what_shows_a_line_that_is_written_over():
    terminal = type("Terminal", (io.StringIO,), {"isatty": lambda self: True})()
    assert console.is_terminal(terminal) and console.is_terminal(notebook_stream())
    assert not console.is_terminal(io.StringIO()) and not console.is_terminal(object())
    assert not console.is_notebook(terminal)


def test_where_logging_is_asked_for_lines_go_there(capsys, caplog):
    caplog.set_level("INFO", "scratchnet")
    config.disable_interactive_logging()
    try:
        console.say("a line")
        console.write("\n")
        bar = Progbar(2)
        bar.update(1, [("loss", 0.5)])
        bar.update(2, [("loss", 0.5)])
    finally:
        config.enable_interactive_logging()
    assert capsys.readouterr().out == ""
    first, second = caplog.messages
    assert first == "a line" and second.startswith("2/2 ━") and second.endswith("loss: 0.5000")


def test_the_width_of_the_terminal_is_what_the_environment_says(monkeypatch):
    monkeypatch.setenv("COLUMNS", "123")
    assert console.terminal_width() == 123
