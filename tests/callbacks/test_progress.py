"""What fit, evaluate and predict print, and when."""

import io
import sys

import numpy as np
import pytest

from scratchnet.callbacks import CallbackList, LambdaCallback, ProgbarLogger
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential

X = np.ones((6, 3), "float32")


@pytest.fixture(scope="module")
def model():
    network = Sequential([Input((3,)), Dense(1)])
    network.compile("sgd", "mse")
    return network


def test_an_epoch_says_that_it_begins_before_its_first_step(model, capsys):
    printed = []
    look = LambdaCallback(on_train_batch_begin=lambda batch, logs: printed.append(capsys.readouterr().out))
    model.fit(X, X[:, :1], epochs=2, batch_size=6, validation_split=0.5, callbacks=[look])
    first, second = printed
    assert first == "Epoch 1/2\n"
    assert second.startswith("1/1 ━━━━━━━━━━━━━━━━━━━━ ") and second.endswith("\nEpoch 2/2\n")
    assert "/step - loss: " in second and " - val_loss: " in second
    assert second.count("\n") == 2  # the validation has no line of its own


@pytest.mark.parametrize("verbose", [1, 2])
def test_the_only_epoch_is_not_announced(verbose, model, capsys):
    model.fit(X, X[:, :1], verbose=verbose)
    assert capsys.readouterr().out.startswith("1/1 ")


def test_a_line_for_evaluate_and_for_predict(model, capsys):
    model.evaluate(X, X[:, :1], batch_size=2)
    assert capsys.readouterr().out.startswith("3/3 ━━━━━━━━━━━━━━━━━━━━ ")
    model.predict(X, batch_size=2, verbose=2)
    assert capsys.readouterr().out.startswith("3/3 - 0s - ")


def test_evaluate_within_a_callback_of_fit_has_its_own_line(model, capsys):
    evaluate = LambdaCallback(on_epoch_end=lambda epoch, logs: model.evaluate(X, X[:, :1]))
    model.fit(X, X[:, :1], callbacks=[evaluate], validation_split=0.5)
    assert capsys.readouterr().out.count("━━━ ") == 2


def test_data_of_unknown_length_are_counted(capsys):
    logger = CallbackList(add_progbar=True, verbose=2, epochs=2, steps=None)
    logger.on_train_begin()
    for epoch in range(2):
        logger.on_epoch_begin(epoch)
        for batch in range(3):
            logger.on_train_batch_end(batch, {"loss": 0.5})
        logger.on_epoch_end(epoch, {"loss": 0.5})
    logger.on_train_end()
    assert capsys.readouterr().out.count("3/3 - 0s - ") == 2


def test_an_interrupted_epoch_ends_its_line(monkeypatch):
    terminal = type("Terminal", (io.StringIO,), {"isatty": lambda self: True})()
    monkeypatch.setattr(sys, "stdout", terminal)
    logger = ProgbarLogger()
    logger.set_params({"verbose": 1, "epochs": 1, "steps": 4})
    logger.on_train_interrupted()  # before the first epoch there is no line
    assert terminal.getvalue() == ""
    logger.on_train_begin()
    logger.on_epoch_begin(0)
    logger._bar.interval = 0
    logger.on_train_batch_end(0, {"loss": 0.5})
    logger.on_train_interrupted()
    assert terminal.getvalue().endswith("loss: 0.5000\n")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_fit_and_summary_where_the_output_is_not_unicode(model, encoding, monkeypatch):
    output = io.TextIOWrapper(io.BytesIO(), encoding, newline="")
    monkeypatch.setattr(sys, "stdout", output)
    model.fit(X, X[:, :1])
    model.summary()
    printed = output.buffer.getvalue().decode("ascii")
    assert "1/1 ====================" in printed and "+---" in printed


def test_of_a_fit_that_is_to_be_silent_it_says_nothing(model, capsys):
    model.fit(np.ones((4, 3)), np.ones((4, 1)), epochs=2, verbose=0, callbacks=[ProgbarLogger()])
    assert capsys.readouterr().out == ""
