"""python -m scratchnet.gradient_check."""

import io
import sys

import pytest

from scratchnet import kernels
from scratchnet.gradient_check.__main__ import main


def test_the_command_prints_a_table_and_fails_when_something_is_wrong(capsys, monkeypatch, tmp_path):
    assert main(["activations", "--plot", str(tmp_path / "v.png")]) == 0
    printed = capsys.readouterr().out
    assert "activation gelu" in printed and "none failed" in printed
    assert (tmp_path / "v.png").stat().st_size > 10_000
    from scratchnet import activations

    monkeypatch.setattr(activations.tanh, "gradient", lambda dy, y: dy * (1 - y))
    assert main(["activations"]) == 1
    assert "FAILED" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["nothing"])


def test_numbas_kernels_are_left_out_where_they_are_not_compiled(capsys, monkeypatch):
    monkeypatch.setattr(kernels, "numba_is_installed", lambda: True)
    monkeypatch.setattr(kernels, "if_compiled", lambda call: None)
    assert main(["kernels"]) == 0
    printed = capsys.readouterr().out
    assert "comparisons with Numba left out: its kernels are not compiled yet (--kernels compiles them)" in printed
    assert "kernel adam_update" in printed and "none failed" in printed


def test_in_a_terminal_it_says_how_far_it_is(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    assert main(["losses"]) == 0
    assert "\rlosses: 1 checks" in sys.stdout.getvalue()
