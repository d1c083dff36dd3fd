"""What TensorBoard finds: the figures of epochs and batches, evaluations, histograms."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from scratchnet.callbacks import LambdaCallback, TensorBoard
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential

spec = importlib.util.spec_from_file_location("events_reader", Path(__file__).parents[1] / "files" / "test_events.py")
reader = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reader)

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")


@pytest.fixture
def model():
    network = Sequential([Input((3,)), Dense(1, name="last")])
    network.compile("sgd", "mse", metrics=["mae"])
    return network


def fit(model, folder, epochs=2, **options):
    board = TensorBoard(folder, **options)
    return model.fit(X, X[:, :1], 3, epochs, verbose=0, validation_split=0.5, callbacks=[board]).history


def close_to(figures):
    return [(step, pytest.approx(value)) for step, value in enumerate(figures)]


def test_the_figures_of_epochs(model, tmp_path):
    history = fit(model, tmp_path)
    train, validation = reader.points(tmp_path / "train"), reader.points(tmp_path / "validation")
    for name in ("loss", "mae"):
        assert train[f"epoch_{name}"] == close_to(history[name])
        assert validation[f"epoch_{name}"] == close_to(history[f"val_{name}"])
    assert train["epoch_learning_rate"] == close_to([0.01, 0.01])
    assert [step for step, _ in validation["evaluation_loss_vs_iterations"]] == [2, 4]
    assert not any(tag.startswith("batch_") or tag.endswith("histogram") for tag in train)


@pytest.mark.parametrize(("update_freq", "steps"), [("batch", [1, 2, 3, 4]), (1, [1, 2, 3, 4]), (2, [2, 4])])
def test_the_figures_of_batches(model, tmp_path, update_freq, steps):
    fit(model, tmp_path, update_freq=update_freq)
    assert [step for step, _ in reader.points(tmp_path / "train")["batch_loss"]] == steps


def test_histograms_and_steps_per_second(model, tmp_path):
    fit(model, tmp_path, epochs=3, histogram_freq=2, write_steps_per_second=True)
    train = reader.points(tmp_path / "train")
    assert [step for step, _ in train["last/kernel/histogram"]] == [0, 2]
    assert train["last/kernel/histogram"][1][1][2] == pytest.approx(float(model.get_weights()[0].max()))
    assert all(value > 0 for _, value in train["epoch_steps_per_second"])
    assert "batch_steps_per_second" not in train


def test_steps_per_second_of_batches(model, tmp_path):
    fit(model, tmp_path, update_freq=2, write_steps_per_second=True)
    train = reader.points(tmp_path / "train")
    assert [step for step, value in train["batch_steps_per_second"] if value > 0] == [2, 4]
    assert [step for step, _ in train["epoch_steps_per_second"]] == [0, 1]


def test_evaluate_by_itself(model, tmp_path):
    model.evaluate(X, X[:, :1], verbose=0, callbacks=[TensorBoard(tmp_path)])
    assert [step for step, _ in reader.points(tmp_path / "validation")["evaluation_loss_vs_iterations"]] == [0]


def test_an_interrupted_fit_leaves_what_it_has_written(model, tmp_path):
    def stop(epoch, logs):
        raise KeyboardInterrupt

    board = TensorBoard(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, X[:, :1], verbose=0, callbacks=[board, LambdaCallback(on_epoch_end=stop)])
    assert len(reader.points(tmp_path / "train")["epoch_loss"]) == 1 and board._writers == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"histogram_freq": -1}, "histogram_freq must be a number of at least 0"),
        ({"update_freq": 0}, 'update_freq must be "epoch", "batch" or a positive integer'),
        ({"update_freq": "step"}, "update_freq must be"),
    ],
)
def test_what_is_no_frequency_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        TensorBoard(**options)


@pytest.mark.parametrize("options", [{"write_images": True}, {"profile_batch": 2}, {"embeddings_freq": 1}])
def test_what_is_not_written_is_told_by_a_warning(options):
    [(name, value)] = options.items()
    with pytest.warns(UserWarning, match=f"TensorBoard: {name}={value} is left out"):
        TensorBoard(**options)
