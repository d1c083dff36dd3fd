"""`python -m scratchnet`, and its demo."""

import sys
from pathlib import Path

import pytest

import scratchnet
from scratchnet import __main__ as command
from scratchnet import demo, kernels

EXAMPLES = sorted(Path(scratchnet.__file__).parents[1].glob("examples/*.py"))


def test_it_says_what_there_is(capsys):
    assert command.main([]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"scratchnet {scratchnet.__version__} in ")
    assert f"{kernels.describe_backend()}, in {scratchnet.get_num_threads()} threads\n" in printed
    with pytest.raises(SystemExit) as end:
        command.main(["--version"])
    assert end.value.code == 0 and capsys.readouterr().out == f"{scratchnet.__version__}\n"


def test_where_the_compiled_kernels_are_only_where_there_are_some(capsys):
    pytest.importorskip("numba")
    with kernels.using_backend("numba"):
        assert "\ncompiled kernels: " in "\n".join(command.describe())
    with kernels.using_backend("numpy"):
        assert "\ncompiled kernels: " not in "\n".join(command.describe())


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package with two examples inside, as a wheel has them."""
    (tmp_path / "examples").mkdir()
    for name in ("lstm_autoencoder", "another"):
        (tmp_path / "examples" / f"{name}.py").write_text("import sys\nprint(__name__, sys.argv)")
    monkeypatch.setattr(demo.examples, "_PACKAGE", tmp_path)
    return tmp_path / "examples"


def test_the_demo_runs_an_example_with_its_options(installed, capsys):
    before = sys.argv
    for arguments, name, rest in (
        ([], "lstm_autoencoder", []),
        (["--epochs", "3"], "lstm_autoencoder", ["--epochs", "3"]),
        (["another", "--data", "full"], "another", ["--data", "full"]),
    ):
        assert command.main(["demo", *arguments]) == 0
        assert capsys.readouterr().out == f"__main__ {[str(installed / f'{name}.py'), *rest]}\n"
    assert sys.argv is before
    assert command.main(["demo", "--list"]) == 0
    assert capsys.readouterr().out == "lstm_autoencoder\nanother\n"


def test_what_is_not_there_is_told_in_one_line(installed, capsys):
    with pytest.raises(SystemExit) as end:
        command.main(["demo", "third"])
    assert end.value.code == 1
    assert capsys.readouterr().err.endswith("there is no example 'third'; there are lstm_autoencoder, another\n")
    (installed / "lstm_autoencoder.py").unlink()
    with pytest.raises(SystemExit):
        command.main(["demo"])
    assert "the folder examples is neither in" in capsys.readouterr().err
