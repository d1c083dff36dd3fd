"""History: each figure of each epoch."""

import numpy as np

from scratchnet.callbacks import History, LambdaCallback, LearningRateScheduler
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential
from scratchnet.utils import set_random_seed

X = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")


Y = X.sum(axis=1)


def model(learning_rate="sgd"):
    set_random_seed(0)
    network = Sequential([Input((3,)), Dense(2, activation="tanh"), Dense(1)])
    network.compile(learning_rate, "mse", metrics=["mae"])
    return network


def test_history_has_each_figure_of_each_epoch():
    network = model()
    history = network.fit(X, Y, epochs=3, initial_epoch=1, validation_split=0.5, verbose=0)
    assert isinstance(history, History) and network.history is history
    assert history.epoch == [1, 2]
    assert {key: len(values) for key, values in history.history.items()} == dict.fromkeys(
        ["loss", "mae", "val_loss", "val_mae"], 2
    )
    assert history.params["epochs"] == 3 and history.model is network
    assert "2 epochs: loss, mae" in repr(history)


def test_each_fit_has_a_history_of_its_own():
    network = model()
    first = network.fit(X, Y, epochs=2, verbose=0)
    second = network.fit(X, Y, epochs=1, verbose=0)
    assert (len(first.epoch), len(second.epoch)) == (2, 1)


def test_a_history_object_of_ones_own_gathers_several_fits():
    network, history = model(), History()
    returned = network.fit(X, Y, epochs=2, verbose=0, callbacks=[history])
    assert returned is not history and returned.history == history.history
    network.fit(X, Y, epochs=1, verbose=0, callbacks=[history])
    assert history.epoch == [0] and len(history.history["loss"]) == 3  # as Keras: the epochs of the last fit only


def test_its_keys_are_in_keras_s_order():
    network = model()
    network.compile("sgd", "mse", metrics=["mse", "mae"], weighted_metrics=["mae"])
    history = network.fit(X, Y, validation_split=0.5, verbose=0).history
    assert list(history) == [
        "loss", "mae", "mse", "val_loss", "val_mae", "val_mse", "val_weighted_mae", "weighted_mae"
    ]  # fmt: skip


def test_what_a_callback_adds_to_the_logs_comes_last():
    seen = []
    added = [
        LearningRateScheduler(lambda epoch, rate: rate),
        LambdaCallback(on_epoch_end=lambda _, logs: seen.extend(logs)),
    ]
    network = model()
    network.compile("sgd", "mse", metrics=["mse"], weighted_metrics=["mae"])
    history = network.fit(X, Y, verbose=0, callbacks=added).history
    assert list(history) == seen == ["loss", "mae", "mse", "learning_rate"]


def test_the_logs_of_batches_and_of_evaluate_are_in_keras_s_order(capsys):
    seen = []
    look = LambdaCallback(on_train_batch_end=lambda _, logs: seen.append(list(logs)))
    look.on_test_batch_end = lambda _, logs: seen.append(list(logs))
    look.on_test_end = lambda logs: seen.append(list(logs))
    network = model()
    network.compile("sgd", "mse", metrics=["mse", "mae"], weighted_metrics=["cosine_similarity"])
    order = ["cosine_similarity", "loss", "mae", "mse"]
    network.fit(X, Y, batch_size=len(X), verbose=2, callbacks=[look])
    network.evaluate(X, Y, batch_size=len(X), verbose=2, callbacks=[look])
    assert seen == [order] * 3
    for line in capsys.readouterr().out.splitlines():
        assert [figure.partition(":")[0] for figure in line.split(" - ")][-4:] == order
    assert list(network.train_on_batch(X, Y, return_dict=True)) == order
    assert list(network.evaluate(X, Y, verbose=0, return_dict=True)) == order
    figures = network.evaluate(X, Y, verbose=0, return_dict=True)
    assert network.evaluate(X, Y, verbose=0) == [figures[key] for key in ("loss", "mse", "mae", "cosine_similarity")]
