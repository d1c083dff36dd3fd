"""ReduceLROnPlateau and LearningRateScheduler: when the rate falls, and what a schedule may return."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.callbacks import LearningRateScheduler, ReduceLROnPlateau
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential
from scratchnet.optimizers import SGD
from scratchnet.optimizers.schedules import ExponentialDecay


class FakeModel:
    """A model whose only weight is the number of epochs it has seen."""

    def __init__(self, learning_rate=1.0):
        self.optimizer = SimpleNamespace(learning_rate=learning_rate)
        self.stop_training = False
        self.weight = 0

    def get_weights(self):
        return [np.asarray(self.weight)]

    def set_weights(self, weights):
        self.weight = int(weights[0])


def run(callback, figures, key="val_loss"):
    """The model after a fit with these figures; stops as fit does. Adds `rates`, the learning rate of each epoch."""
    model = FakeModel()
    model.rates = []
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, figure in enumerate(figures):
        callback.on_epoch_begin(epoch)
        model.weight = epoch + 1
        model.rates.append(model.optimizer.learning_rate)
        callback.on_epoch_end(epoch, {key: figure})
        if model.stop_training:
            break
    callback.on_train_end()
    return model


def rates(figures, **arguments):
    return run(ReduceLROnPlateau(min_delta=0, **arguments), figures).rates


def test_the_rate_falls_after_patience_epochs_without_improvement():
    assert rates([3, 3, 3, 3, 3], factor=0.5, patience=1) == [1, 1, 0.5, 0.25, 0.125]
    assert rates([3, 3, 3, 3, 3, 3], factor=0.5, patience=2) == [1, 1, 1, 0.5, 0.5, 0.25]
    assert rates([3, 3, 2, 2, 1, 1], factor=0.5, patience=2) == [1] * 6


def test_nothing_is_counted_during_the_cooldown():
    # The last epoch of a cooldown counts again, as in Keras.
    assert rates([3] * 7, factor=0.5, patience=1, cooldown=2) == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125]
    assert rates([3] * 7, factor=0.5, patience=2, cooldown=2) == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]


def test_the_rate_does_not_fall_below_min_lr():
    assert rates([3] * 5, factor=0.5, patience=1, min_lr=0.3) == [1, 1, 0.5, 0.3, 0.3]


def test_by_default_an_improvement_has_to_be_larger_than_a_ten_thousandth():
    callback = ReduceLROnPlateau(patience=1, factor=0.5)
    assert run(callback, [1.0, 0.99995, 0.99]).rates == [1, 1, 0.5]


def test_it_adds_the_rate_of_the_epoch_to_the_logs():
    callback, logs = ReduceLROnPlateau(patience=1), {"val_loss": 1.0}
    callback.set_model(FakeModel(0.25))
    callback.on_train_begin()
    callback.on_epoch_end(0, logs)
    assert logs["learning_rate"] == 0.25


def test_reduce_lr_says_so_if_verbose(capsys):
    run(ReduceLROnPlateau(patience=1, verbose=1), [1, 1])
    assert capsys.readouterr().out == "Epoch 2: the learning rate is now 0.1\n"


@pytest.mark.parametrize("factor", [1.0, 2, -0.1, np.nan])
def test_a_factor_that_does_not_reduce_is_refused(factor):
    with pytest.raises(ValueError, match="factor must be at least 0 and below 1"):
        ReduceLROnPlateau(factor=factor)


def scheduled(schedule, epochs=3, learning_rate=1.0):
    return run(LearningRateScheduler(schedule), [1.0] * epochs).rates


def test_the_schedule_gets_the_epoch_and_the_rate_so_far():
    assert scheduled(lambda epoch, rate: rate / 2) == [0.5, 0.25, 0.125]
    assert scheduled(lambda epoch, rate: rate * 10 if epoch == 1 else rate) == [1, 10, 10]


def test_the_schedule_may_take_the_epoch_alone():
    assert scheduled(lambda epoch: 1 / (epoch + 1)) == [1, 0.5, pytest.approx(1 / 3)]
    assert scheduled(ExponentialDecay(1.0, 1, 0.5)) == [1, 0.5, 0.25]
    assert scheduled(np.float32, epochs=2) == [0, 1]


def test_a_type_error_of_the_schedules_own_is_not_hidden():
    with pytest.raises(TypeError, match="unsupported operand"):
        scheduled(lambda epoch, rate=None: "1" / rate)


@pytest.mark.parametrize("rate", [None, "0.1", True, [0.1]])
def test_a_schedule_that_returns_no_number_is_refused(rate):
    with pytest.raises(ValueError, match="LearningRateScheduler: the schedule must return a number, got"):
        scheduled(lambda epoch: rate)


def test_a_rate_that_is_none_and_a_schedule_that_is_none_are_refused():
    with pytest.raises(TypeError, match="schedule must be a function, got 0.1"):
        LearningRateScheduler(0.1)
    model = Sequential([Input((1,)), Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="learning_rate must be a number at least 0, got -1"):
        model.fit(np.ones((2, 1)), np.ones(2), verbose=0, callbacks=[LearningRateScheduler(lambda epoch: -1)])
    model.compile(SGD(ExponentialDecay(0.1, 10, 0.9)), "mse")
    with pytest.raises(TypeError, match="follows a schedule and cannot be set"):
        model.fit(np.ones((2, 1)), np.ones(2), verbose=0, callbacks=[LearningRateScheduler(lambda epoch: 0.1)])


def test_the_rate_stands_in_the_history_of_a_real_fit(capsys):
    model = Sequential([Input((1,)), Dense(1)])
    model.compile(SGD(0.5), "mse")
    halve = LearningRateScheduler(lambda epoch, rate: rate / 2, verbose=1)
    history = model.fit(np.ones((2, 1)), np.ones(2), epochs=2, verbose=0, callbacks=[halve])
    assert history.history["learning_rate"] == [0.25, 0.125] and model.optimizer.learning_rate == 0.125
    assert capsys.readouterr().out == "Epoch 1: the learning rate is 0.25\nEpoch 2: the learning rate is 0.125\n"


figures = st.lists(st.integers(0, 12).map(lambda k: k / 4), min_size=1, max_size=14)  # exact in float32, many ties


@pytest.fixture(scope="module")
def keras():
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    return pytest.importorskip("keras", reason="Keras is not installed")


@pytest.mark.reference
@pytest.mark.filterwarnings("ignore")
@given(
    figures=figures,
    mode=st.sampled_from(["min", "max"]),
    min_delta=st.sampled_from([0, 0.25, 0.5]),
    patience=st.integers(0, 4),
    cooldown=st.integers(0, 3),
    min_lr=st.sampled_from([0.0, 0.25]),
)
def test_reduce_lr_does_what_kerass_does(keras, figures, **arguments):
    arguments["factor"] = 0.5
    expected = run(keras.callbacks.ReduceLROnPlateau(**arguments), figures).rates
    assert run(ReduceLROnPlateau(**arguments), figures).rates == expected
