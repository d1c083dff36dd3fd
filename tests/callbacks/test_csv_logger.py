"""CSVLogger: its rows, and what it does with a file that is there."""

import contextlib
import csv
import math
import os

import numpy as np
import pytest

from scratchnet.callbacks import CSVLogger, LambdaCallback, LearningRateScheduler
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential
from scratchnet.utils import set_random_seed

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")


Y = X.sum(axis=1)


def model():
    set_random_seed(0)
    network = Sequential([Input((3,)), Dense(2, activation="tanh"), Dense(1)])
    network.compile("sgd", "mse", metrics=["mae"])
    return network


def rows(path, separator=","):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file, delimiter=separator))


def logged(path, epochs, first=0, **arguments):
    """Run a CSVLogger over the logs of these epochs."""
    logger = CSVLogger(path, **arguments)
    logger.on_train_begin()
    for epoch, logs in enumerate(epochs, start=first):
        logger.on_epoch_begin(epoch)
        logger.on_epoch_end(epoch, logs)
    logger.on_train_end()


def test_each_epoch_gets_a_row_of_its_figures(tmp_path):
    path = tmp_path / "log.csv"
    history = model().fit(X, Y, epochs=3, validation_split=0.25, verbose=0, callbacks=[CSVLogger(path)]).history
    heading, *table = rows(path)
    assert heading == ["epoch", "loss", "mae", "val_loss", "val_mae"]
    assert [row[0] for row in table] == ["0", "1", "2"]
    assert [[float(entry) for entry in row[1:]] for row in table] == list(
        map(list, zip(*(history[k] for k in heading[1:])))
    )


def test_rows_are_on_disk_after_their_epoch(tmp_path):
    path, seen = tmp_path / "log.csv", []
    look = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(len(rows(path))))
    model().fit(X, Y, epochs=2, verbose=0, callbacks=[CSVLogger(path), look])
    assert seen == [2, 3]


def test_the_learning_rate_of_a_callback_before_it_stands_in_the_table(tmp_path):
    path = tmp_path / "log.csv"
    model().fit(X, Y, verbose=0, callbacks=[LearningRateScheduler(lambda epoch: 0.25), CSVLogger(path)])
    assert dict(zip(*rows(path)))["learning_rate"] == "0.25"


def test_another_separator(tmp_path):
    path = tmp_path / "log.tsv"
    logged(path, [{"loss": 1.5}], separator="\t")
    assert path.read_text(encoding="utf-8").splitlines()[0].split("\t")[:2] == ["epoch", "loss"]
    assert rows(path, "\t")[1][:2] == ["0", "1.5"]


def test_validation_that_comes_later_has_its_columns(tmp_path):
    logged(tmp_path / "log.csv", [{"loss": 2.0}, {"loss": 1.0, "val_loss": 3.0}])
    assert rows(tmp_path / "log.csv") == [["epoch", "loss", "val_loss"], ["0", "2.0", "NA"], ["1", "1.0", "3.0"]]


def test_a_fit_starts_the_file_anew(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("something else entirely\n")
    logger, network = CSVLogger(path), model()
    for epochs in (3, 2):
        network.fit(X, Y, epochs=epochs, verbose=0, callbacks=[logger])
        assert [row[0] for row in rows(path)] == ["epoch", *map(str, range(epochs))]


def test_append_goes_on_below_under_the_old_heading(tmp_path):
    path = tmp_path / "log.csv"
    logged(path, [{"loss": 2.0, "val_loss": 4.0}], append=True)
    logged(path, [{"new": 7.0, "loss": 1.0}], first=1, append=True)
    assert rows(path) == [["epoch", "loss", "val_loss"], ["0", "2.0", "4.0"], ["1", "1.0", "NA"]]


def test_append_to_an_empty_file_writes_the_heading(tmp_path):
    path = tmp_path / "log.csv"
    path.touch()
    logged(path, [{"loss": 2.0}], append=True)
    assert rows(path)[0][0] == "epoch"


@pytest.mark.parametrize("text", ["epoch;loss\n0;1.0\n", "name,size\n", "\n"])
def test_append_to_another_kind_of_file_is_refused_and_leaves_it(tmp_path, text):
    path = tmp_path / "log.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"CSVLogger: cannot go on with .*log\.csv: its first line is no heading"):
        model().fit(X, Y, verbose=0, callbacks=[CSVLogger(path, append=True)])
    assert path.read_text() == text


def test_numpy_figures_and_odd_values_are_written(tmp_path):
    logged(tmp_path / "log.csv", [{"loss": np.float32(0.5), "val_loss": math.nan, "note": 'a, "b"'}])
    assert rows(tmp_path / "log.csv") == [["epoch", "loss", "note", "val_loss"], ["0", "0.5", 'a, "b"', "nan"]]


def test_a_missing_folder_is_told_before_training(tmp_path):
    started = []
    with pytest.raises(FileNotFoundError):
        model().fit(
            X,
            Y,
            verbose=0,
            callbacks=[
                CSVLogger(tmp_path / "no" / "log.csv"),
                LambdaCallback(on_epoch_begin=lambda *_: started.append(1)),
            ],
        )
    assert not started


def test_the_file_is_closed_when_fit_ends_and_when_it_is_interrupted(tmp_path):
    logger, network = CSVLogger(tmp_path / "log.csv"), model()
    network.fit(X, Y, verbose=0, callbacks=[logger])
    assert logger._file is None
    files = []

    def interrupt(epoch, logs):
        files.append(logger._file)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        network.fit(X, Y, epochs=3, verbose=0, callbacks=[logger, LambdaCallback(on_epoch_end=interrupt)])
    assert files[0].closed and logger._file is None
    assert [row[0] for row in rows(tmp_path / "log.csv")] == ["epoch", "0"]


def test_a_full_disk_is_named():
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no device that is always full")
    logger = CSVLogger("/dev/full", append=True)
    logger.on_train_begin()
    logger._columns = []
    with pytest.raises(OSError, match="/dev/full"):
        logger.on_epoch_end(0, {"loss": 1.0})
    with contextlib.suppress(OSError):
        logger.on_train_end()
