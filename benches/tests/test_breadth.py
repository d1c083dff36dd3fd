"""The bench of everything that is trained: its models are built and trained, and what is slower is told by name."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHES = Path(__file__).parents[1]


def result_of(ratios):
    """A result of two cases, `fit` and `predict`, beside Keras on JAX with these ratios."""
    rows = []
    for name, ratio in ratios.items():
        figures = {"ms": {"scratchnet": 2.0, "jax": 2 * ratio}, "ratios": {"jax": [ratio] * 3}}
        rows += [{"case": f"losses: {name}", "call": call, **figures} for call in ("fit", "predict")]
    return {"options": {"threads": 2, "turns": 1}, "environment": {}, "rows": rows}


def test_it_times_what_is_asked_for_and_writes_it_down(tmp_path):
    path = tmp_path / "breadth.json"
    command = [
        sys.executable,
        BENCHES / "breadth.py",
        "--only",
        "losses: mae",
        "AdditiveAttention",
        "--turns",
        "1",
        "--json",
        path,
    ]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(path.read_text())["rows"]
    assert {row["case"] for row in rows} == {"losses: mae", "attention: AdditiveAttention"}
    assert all(row["ms"]["scratchnet"] > 0 and row["ratios"] == {} for row in rows)


def test_what_is_slower_than_a_peer_is_named_and_what_is_not_is_not(bench):
    text = bench("breadth").markdown(result_of({"mae": 0.5, "mse": 1.5}))
    assert text.count("of 2, 1 are slower than the fastest peer: losses: mae (0.50).") == 2
    assert "none." in bench("breadth").markdown(result_of({"mse": 1.5}))
    assert "| losses: mse | " in text.replace("  ", " ").replace("  ", " ")


def test_every_room_of_trained_layers_has_a_case_and_every_model_is_built(bench):
    import scratchnet

    cases = bench("breadth_cases").cases(scratchnet)
    rooms = {name.split(":")[0] for name in cases}
    assert rooms == {
        *("activations", "attention", "convolutional", "core", "losses", "merging", "normalization", "optimizers"),
        *("pooling", "regularization", "reshaping", "rnn"),
    }
    for case in cases.values():
        model = bench("breadth_cases").build(scratchnet, case)
        assert model.output_shape == (None, *case.targets)


@pytest.mark.parametrize("name", ["core: Embedding of 20,000", "losses: huber", "merging: Maximum"])
def test_the_data_of_a_case_are_the_same_for_every_side(bench, name):
    import scratchnet

    module = bench("breadth_cases")
    case = module.cases(scratchnet)[name]
    (x, y), (again, targets) = module.data(case), module.data(case)
    assert (x == again).all() and (y == targets).all()
    assert x.shape == case.x and y.shape == (len(x), *case.targets)


def test_in_pytorch_each_model_is_of_a_case_and_trains(bench):
    pytest.importorskip("torch")
    import scratchnet

    cases, side = bench("breadth_cases").cases(scratchnet), bench("torch_breadth")
    assert side.modules().keys() < cases.keys()
    for name in side.modules():
        case = cases[name]._replace(x=(2, *cases[name].x[1:]), batch=2)
        model = side.Trained(name, case, *bench("breadth_cases").data(case))
        assert model.predict().shape == (2, *case.targets)
