"""The bench of the models runs, prints its table and writes its readings. (No test depends on a time.)"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHES = Path(__file__).parents[2] / "benches"


def run(*arguments, **settings):
    environment = {**os.environ, "PYTHONPATH": str(BENCHES.parent), **settings}
    result = subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, env=environment, check=False
    )
    assert result.returncode == 0, result.stderr
    return result


def result_of(peers):
    """A result as the bench writes it, of peers that take so many milliseconds where we take 9 to 11."""
    ratios = {peer: [ms / 10, ms / 11, ms / 9] for peer, ms in peers.items()}
    ms = {"scratchnet": 10.0, **peers}
    row = {"model": "CNN classifier", "batch": 128, "call": "fit", "ms": ms, "ratios": ratios, "limit": 1.5}
    row.update(gain=[1.9, 1.75, 1.95], repeated=2)
    environment = {"processors": 2, "processor": "one", "blas": [], "threads": 2, "python": "3", "packages": {}}
    options = {"samples": 1280, "threads": 2, "turns": 3}
    return {"bench": "models", "options": options, "environment": environment, "rows": [row]}


def test_all_of_it_runs_and_the_page_is_written_from_the_json_files(tmp_path, bench):
    # a variable that makes OpenBLAS compute as on another processor is taken away before NumPy loads
    result = run(
        BENCHES / "run_all.py", "--small", "--only", "models", "--folder", tmp_path, OPENBLAS_CORETYPE="Prescott"
    )
    assert "SimpleRNN classifier (128)" in result.stdout and "scratchnet ms" in result.stdout
    assert "Prescott" not in result.stdout and "2 threads a side" in result.stdout
    assert "turn 2 of 2" in result.stderr
    written = json.loads((tmp_path / "models.json").read_text())
    assert [row["call"] for row in written["rows"]] == ["fit"]
    assert written["rows"][0]["ms"]["scratchnet"] > 0 and written["rows"][0]["ratios"] == {}
    assert written["environment"]["packages"]["numpy"] == np.__version__ and written["environment"]["processor"]
    assert (tmp_path / "images" / "models.png").read_bytes().startswith(b"\x89PNG")
    text = (tmp_path / "benchmarks.md").read_text()
    assert "SimpleRNN classifier" in text and "![models: the plot of this section](images/models.png)" in text
    assert f"## Models beside their peers, {bench('_shared').instructions(written['environment'])}" in text

    (tmp_path / "benchmarks.md").unlink()
    run(BENCHES / "run_all.py", "--from-json", "--folder", tmp_path)
    assert (tmp_path / "benchmarks.md").read_text() == text


def test_the_page_has_the_models_with_either_vectors(tmp_path, bench):
    run_all, result = bench("run_all"), result_of({"torch": 20.0})
    result.update(began="2026-11-26T12:00:00+00:00", seconds=60)
    for name, isa in (("models", "native"), ("models_avx2", "avx2")):
        (tmp_path / f"{name}.png").touch()
        environment = {**result["environment"], "isa": isa, "widest": "avx512"}
        (tmp_path / f"{name}.json").write_text(json.dumps({**result, "environment": environment}))
    text = run_all.page(run_all.read_results(tmp_path), tmp_path, tmp_path / "page.md")
    first, second = (text.index(f"## Models beside their peers, {vectors}") for vectors in ("AVX-512", "AVX2"))
    assert first < text.index("### `fit`, AVX-512") < text.index("(models.png)") < second
    assert second < text.index("### `fit`, AVX2") < text.index("(models_avx2.png)")
    assert "2 threads a side; AVX-512" in text and "2 threads a side; held to AVX2" in text


def test_a_section_whose_heading_does_not_say_so_says_below_with_which_vectors(tmp_path, bench):
    run_all, module = bench("run_all"), bench("waiting")
    row = {"what": "one prediction", "unit": "ms", "times": {"scratchnet": 0.2}}
    found = {**result_of({}), "rows": [row], "began": "2026-11-26T12:00:00+00:00", "seconds": 60}
    text = run_all.page({"waiting": found}, tmp_path, tmp_path / "page.md")
    assert module.markdown(found).startswith("## What you wait for\n\n    python")
    assert "## What you wait for\n\nMeasured with native instructions.\n\n    python" in text


def test_a_processor_without_longer_vectors_measures_once(bench, monkeypatch):
    run_all, started = bench("run_all"), []
    monkeypatch.setattr(run_all.subprocess, "run", lambda command, **settings: started.append(command))
    run_all.run("layers_avx2", Path("results"), Path("images"), small=True)
    (command,) = started
    assert command[1].endswith("layers.py") and command[command.index("--isa") + 1] == "avx2"
    assert command[command.index("--json") + 1].endswith("layers_avx2.json")
    for isa, is_twice in (("avx512", True), ("avx2", False), (None, False)):
        monkeypatch.setattr(run_all, "widest", lambda isa=isa: isa)
        assert ("layers_avx2" in run_all.those_to_run()) == is_twice and "layers" in run_all.those_to_run()


def test_options_are_explained():
    assert "whom to compare with, where installed" in run(BENCHES / "models.py", "--help").stdout


def test_a_peer_that_is_not_installed_is_skipped_with_a_word(bench, monkeypatch, capsys):
    models = bench("models")
    monkeypatch.setattr(models.importlib.util, "find_spec", lambda name: None)
    assert models.installed(["torch", "jax"]) == []
    said = capsys.readouterr().out
    assert "PyTorch: skipped, torch is not installed" in said
    assert "JAX (Keras): skipped, jax and keras are not installed" in said


def test_a_side_that_begins_with_another_loss_is_an_error(bench):
    check = bench("models").check_first_losses
    check("CNN classifier", {"scratchnet": 2.3000, "torch": 2.3001})
    for other in (2.31, float("nan")):
        with pytest.raises(RuntimeError, match="CNN classifier: the first loss of torch is"):
            check("CNN classifier", {"scratchnet": 2.3, "torch": other})


def test_the_ratio_is_that_within_a_turn_and_the_fastest_peer_counts(bench):
    models = bench("models")
    result = result_of({"tensorflow": 30.0, "torch": 20.0})
    assert models.fastest_peer(result["rows"][0]) == ("torch", 2.0)
    assert models.fastest_peer(result_of({})["rows"][0]) is None
    text = models.markdown(result)
    assert "3.00 (2.73 to 3.33)" in text and "2.00 (1.82 to 2.22)" in text
    assert "at least twice as fast on 1 of 1; the smallest ratio is 2.00 (CNN classifier, PyTorch)" in text
    assert "they gained 1.75 to 1.95; 2 turns were repeated" in " ".join(text.split())
    assert "6.67" in text  # ours over the limit
    assert len(models.draw(result).axes) == 1


def test_torch_models_begin_with_the_same_loss(bench):
    pytest.importorskip("torch")
    import scratchnet

    missions, torch_models, models = bench("missions"), bench("torch_models"), bench("layer_models").MODELS
    assert models.keys() - torch_models.MODELS.keys() == {"ConvLSTM2D"}
    for name, (_, loss, _, data) in models.items():
        if name not in torch_models.MODELS:
            continue
        x, y = data(32)
        model = missions.make(name, scratchnet, models=models)
        peer = torch_models.TorchModel(name, loss, x, y, model.get_weights(), 32)
        assert peer.first_loss() == pytest.approx(model.evaluate(x, y, verbose=0), rel=1e-4), name
        np.testing.assert_allclose(
            peer.predict().reshape(-1)[:5], model.predict(x, verbose=0).reshape(-1)[:5], 1e-3, 1e-5
        )


def test_there_is_a_model_for_each_other_kind_of_layer(bench):
    import scratchnet

    models, make = bench("layer_models"), bench("missions").make
    for name, (_, _, _, data) in models.LAYERS.items():
        x, y = data(4)
        model = make(name, scratchnet, models=models.MODELS)
        assert {part.strip() for part in name.split(",")} <= {type(layer).__name__ for layer in model.layers}, name
        assert np.isfinite(model.evaluate(x, y, verbose=0)), name


def test_a_peer_that_lacks_a_model_has_an_empty_place_in_the_table(bench):
    layers, models = bench("layers"), bench("models")
    result = result_of({"jax": 30.0, "torch": 20.0})
    (row,) = result_of({"jax": 15.0})["rows"]
    result["rows"].append({**row, "model": "ConvLSTM2D"})
    text = layers.markdown(result)
    assert "## Other layers beside their peers" in text and "smallest ratio is 1.50 (ConvLSTM2D, JAX (Keras))" in text
    assert len(models.draw(result).axes) == 1


def test_the_limit_counts_every_multiply_add_once(bench):
    count = bench("arithmetic").multiply_adds
    assert count("GRU", training=False) == 28 * 3 * 128 * (28 + 128) + 1280
    assert count("Conv2DTranspose", training=False) == 9 * 16 * (28 * 28 + 14 * 14 * 16 + 28 * 28)
    assert count("ConvLSTM2D", training=False) == 4 * 14 * 14 * 9 * 64 * (1 + 16) + 160
    assert count("Embedding, Bidirectional", training=False) == 98 * 2 * 4 * 32 * (32 + 32) + 640
    first, second = 12 * 12 * 25 * 32, 4 * 4 * 25 * 32 * 64
    assert count("CapsuleLayer", training=False) == first + second + 128 * 8 * 10 * 16
    one, two, three = 28 * 28 * 9 * 32, 14 * 14 * 9 * 32 * 32, 28 * 28 * 9 * 32  # the convolutions of the autoencoder
    assert count("CNN autoencoder", training=False) == one + two + three
    assert count("CNN autoencoder", training=True) == 2 * one + 3 * (two + three)
    first, second, dense = 32 * 4 * 64 * (96 + 64), 32 * 4 * 64 * (64 + 64), 32 * 64 * 96
    assert count("CIFAR-10 LSTM autoencoder", training=True) == 3 * (first + second + dense) - 32 * 4 * 64 * 96
