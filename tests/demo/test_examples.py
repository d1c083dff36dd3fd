"""Where the examples are, and what they have in common."""

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import scratchnet
from scratchnet import demo
from scratchnet.datasets import cifar10, mnist
from scratchnet.distribution import set_distribution

EXAMPLES = sorted(Path(scratchnet.__file__).parents[1].glob("examples/*.py"))


@pytest.mark.skipif(not EXAMPLES, reason="the examples are not beside an installed package")
def test_each_example_is_found_and_can_be_copied_anywhere(tmp_path):
    assert list(demo.find_examples().values()) == sorted(EXAMPLES, key=lambda path: path.stem != "lstm_autoencoder")
    for example in EXAMPLES:
        copy = tmp_path / example.name
        copy.write_text(example.read_text("utf-8"), "utf-8")
        assert callable(runpy.run_path(str(copy))["main"])


@pytest.fixture
def program(tmp_path, monkeypatch):
    """``program(*arguments)``: the exit code of a small example."""
    path = tmp_path / "mine.py"
    path.write_text(
        "import sys\n"
        "from scratchnet.demo import run_example\n"
        "def main(options, output):\n"
        "    if options.seed == 2:\n"
        "        raise ValueError('no such thing')\n"
        "    if options.seed == 3:\n"
        "        raise KeyboardInterrupt\n"
        "    output.text('report.md', f'{options.data} {options.epochs} {options.batch_size} {options.kind}')\n"
        "def extra(parser):\n"
        "    parser.add_argument('--kind', default='own')\n"
        "sys.exit(run_example(main, 'A program.', epochs=3, extra=extra, draws=False))\n"
    )

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", [str(path), "--backend", "numpy", *arguments])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(path), run_name="__main__")
        return end.value.code

    yield run
    scratchnet.set_backend(None)
    set_distribution(None)


def test_a_program_ends_with_what_it_wrote_or_with_one_line(program, tmp_path, capsys):
    out = tmp_path / "out"
    assert program("--out", str(out), "--epochs", "5") == 0
    assert capsys.readouterr().out.endswith(f"Wrote:\n  {out / 'report.md'}\n")
    assert (out / "report.md").read_text() == "sample 5 128 own"
    assert program("--out", str(out), "--seed", "2") == 1
    assert capsys.readouterr().err == "mine.py: no such thing\n"
    assert program("--out", str(out), "--seed", "3") == 130
    assert capsys.readouterr().err == "\nmine.py: interrupted\n"
    (tmp_path / "file").write_text("in the way")
    assert program("--out", str(tmp_path / "file")) == 1
    assert "mine.py: cannot write into the folder" in capsys.readouterr().err
    assert program("--epochs", "0") == 2
    assert "expected a whole number of at least 1, got '0'" in capsys.readouterr().err


def test_a_program_by_itself_may_be_asked_to_share_its_work(program, tmp_path, capsys):
    assert program("--out", str(tmp_path / "out"), "--distributed", "--kind", "shared") == 0
    assert (tmp_path / "out" / "report.md").read_text() == "sample 3 128 shared"


def test_of_several_ranks_only_the_first_writes_and_prints(program, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo.examples, "set_distribution", lambda distribution: None)
    monkeypatch.setattr(demo.examples, "current_ranks", lambda: SimpleNamespace(rank=1, size=2))
    assert program("--out", str(tmp_path / "out"), "--distributed") == 0
    assert capsys.readouterr().out == "" and not (tmp_path / "out").exists()


def test_images_of_both_data_sets_are_scaled_to_one(monkeypatch, capsys):
    for load, dataset, shape in ((demo.load_mnist, mnist, (28, 28)), (demo.load_cifar10, cifar10, (32, 32, 3))):
        for name in ("load_sample", "load_data"):
            images, labels = np.full((2, *shape), 255, "uint8"), np.zeros(2, "uint8")
            monkeypatch.setattr(dataset, name, lambda a=images, b=labels: ((a, b), (a[:1], b[:1])))
        for data in ("sample", "full"):
            (x_train, _), (x_test, _) = load(SimpleNamespace(data=data))
            assert x_train.dtype == np.float32 and x_train.max() == 1 and x_test.shape == (1, *shape)
            assert f"2 training and 1 test images ({data} data)" in capsys.readouterr().out
