"""The bench beside Keras trains, goes on where it was stopped, and its verdicts are what they are called."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHES = Path(__file__).parents[2] / "benches"


@pytest.fixture
def quality(monkeypatch):
    before = set(sys.modules)
    monkeypatch.syspath_prepend(BENCHES)
    yield importlib.import_module("quality")
    for name in set(sys.modules) - before:
        if (BENCHES / f"{name}.py").exists():
            del sys.modules[name]


def run(*arguments, code=0):
    command = [sys.executable, BENCHES / "quality.py", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(BENCHES.parent)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == code, done.stderr
    return done


def sides(ours, theirs, accuracy=True):
    """The runs of one model with these test accuracies, or test losses."""
    pairs = (("scratchnet", ours), ("tensorflow", theirs))
    return {
        side: [
            {
                "model": "CNN classifier" if accuracy else "CNN autoencoder",
                "side": side,
                "seed": seed,
                "training losses": [0.5, 0.25],
                "test loss": 0.3 if accuracy else value,
                "test accuracy": value if accuracy else None,
            }
            for seed, value in enumerate(values, 1)
        ]
        for side, values in pairs
        if values
    }


def result_of(*models):
    runs = [run for of_model in models for of_side in of_model.values() for run in of_side]
    machine = {"processors": 2, "processor": "one", "blas": [], "threads": 1, "python": "3", "packages": {"keras": "3"}}
    machine |= {"scratchnet": "0.1", "backend": "numpy"}
    return {"bench": "quality", "options": {"data": "full", "epochs": None}, "runs": runs, "environment": machine}


def test_it_trains_and_goes_on_where_it_was(tmp_path):
    json_file, page = tmp_path / "new" / "quality.json", tmp_path / "page.md"
    options = ["--only", "SimpleRNN classifier", "--sides", "scratchnet", "--epochs", 1, "--json", json_file]
    done = run(*options, "--seeds", 1)
    assert "run 1 of 1: SimpleRNN classifier, scratchnet, seed 1" in done.stderr
    (first,) = json.loads(json_file.read_text())["runs"]
    assert len(first["training losses"]) == 1 and 0.5 < first["test accuracy"] < 1  # one epoch of the sample

    done = run(*options, "--seeds", 2, "--page", page)
    assert "run 1 of 1: SimpleRNN classifier, scratchnet, seed 2" in done.stderr
    runs = json.loads(json_file.read_text())["runs"]
    assert runs[0] == first and [r["seed"] for r in runs] == [1, 2]
    assert runs[1]["test accuracy"] != first["test accuracy"]  # the seeds are used
    assert "one side only" in page.read_text() and "not finished yet: CNN classifier" in page.read_text()

    page.unlink()
    done = run("--from-json", "--json", json_file, "--page", page)
    assert "run 1" not in done.stderr and "SimpleRNN classifier" in done.stdout and page.exists()
    assert sorted(path.name for path in json_file.parent.iterdir()) == ["quality.json"]


def test_what_it_cannot_do_is_said(tmp_path):
    assert "--from-json needs --json FILE" in run("--from-json", code=2).stderr
    other = tmp_path / "quality.json"
    other.write_text(json.dumps({"options": {"data": "full", "epochs": None}, "runs": []}))
    assert "holds runs with other options" in run("--json", other, code=1).stderr


@pytest.mark.parametrize(
    "ours, theirs, accuracy, expected",
    [
        ([0.97, 0.98], [0.96, 0.99], True, "+0.00 points: within Keras's range"),
        ([0.985, 0.995], [0.96, 0.98, 0.985], True, "+1.50 points: better than Keras's range; the ranges overlap"),
        ([0.90, 0.92], [0.96, 0.98], True, "-6.00 points: worse than Keras's range; the ranges do not meet"),
        ([0.06], [0.04, 0.06], False, "+20.0% loss: within Keras's range"),
        ([0.04], [0.05, 0.05], False, "-20.0% loss: better than Keras's range; the ranges do not meet"),
        ([0.06], [0.05, 0.05], False, "+20.0% loss: worse than Keras's range; the ranges do not meet"),
        ([0.97], [0.97], True, "+0.00 points; one seed of Keras has no range"),
        ([0.97], [], True, "one side only"),
    ],
)
def test_the_verdict_is_where_our_mean_lies_in_the_range_of_keras(quality, ours, theirs, accuracy, expected):
    assert quality.verdict(sides(ours, theirs, accuracy)) == expected


def test_the_page_has_the_mean_and_the_range_of_the_seeds(quality):
    text = quality.markdown(result_of(sides([0.97, 0.98, 0.99], [0.96, 0.98]), sides([0.06], [0.05], False)))
    assert "98.00 % (97.00 % to 99.00 %)" in text and "97.00 % (96.00 % to 98.00 %)" in text
    assert "within the range of Keras's seeds: CNN classifier (1 of 9 models)" in text
    assert "a single seed so far: CNN autoencoder (1 of 9 models)" in text
    assert "keras 3" in text and "scratchnet 0.1" in text


def test_images_and_targets_are_those_of_the_model(quality):
    for name, (_, _, kind, _, _) in quality.models().items():
        (x, y), (x_test, y_test), split = quality.data_of(kind, full=False)
        assert x.dtype == "float32" and 0 <= x.min() and x.max() == 1 and x.shape[1:] == x_test.shape[1:], name
        assert len(x) == len(y) and len(x_test) == len(y_test), name
        assert (x.shape == y.shape) == ("autoencoder" in name or "denoising" in name), name
        assert (x is not y and not (x == y).all()) if "denoising" in name else True
        assert split == (0.0 if "CIFAR-10" in name else 0.2), name


@pytest.mark.reference
def test_the_weights_of_both_sides_have_the_same_shapes(quality):
    keras = pytest.importorskip("keras")
    import scratchnet

    for name, (build, *_) in quality.models().items():
        ours, theirs = (library.models.Sequential(build(library)).get_weights() for library in (scratchnet, keras))
        assert [w.shape for w in ours] == [w.shape for w in theirs], name
