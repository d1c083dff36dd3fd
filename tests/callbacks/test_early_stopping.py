"""EarlyStopping: when it stops, and which weights come back."""

import inspect
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.callbacks import EarlyStopping, LearningRateScheduler, ModelCheckpoint, ReduceLROnPlateau
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential
from scratchnet.optimizers import SGD
from scratchnet.utils import set_random_seed


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


def epochs_until_stop(figures, key="val_loss", **arguments):
    return len(run(EarlyStopping(**{"monitor": key, **arguments}), figures, key).rates)


def test_it_stops_after_patience_epochs_without_improvement():
    figures = [5, 4, 3, 3, 3.5, 3, 2, 1]
    assert epochs_until_stop(figures, patience=0) == 4
    assert epochs_until_stop(figures, patience=1) == 4
    assert epochs_until_stop(figures, patience=2) == 5
    assert epochs_until_stop(figures, patience=4) == 8
    assert epochs_until_stop(figures, patience=np.inf) == 8


def test_it_never_stops_after_the_first_epoch():
    assert epochs_until_stop([np.nan, np.nan, np.nan], patience=0) == 2


def test_small_improvements_do_not_count():
    figures = [1.0, 0.95, 0.9, 0.85, 0.5]
    assert epochs_until_stop(figures, patience=2, min_delta=0.2) == 3
    assert epochs_until_stop(figures, patience=2) == 5


def test_the_mode_turns_it_round():
    figures = [0.5, 0.6, 0.7, 0.6, 0.5]
    assert epochs_until_stop(figures, key="val_accuracy") == 4
    assert epochs_until_stop(figures, key="val_accuracy", mode="min") == 2


def test_the_baseline_has_to_be_beaten_within_the_patience():
    assert epochs_until_stop([5, 4, 3, 2.9, 2.8, 2.7], patience=2, baseline=1.0) == 6  # improving epochs do not stop
    assert epochs_until_stop([5, 4, 4, 0.5, 0.4], patience=2, baseline=1.0) == 3
    assert epochs_until_stop([5, 0.9, 1.1, 0.8, 0.9, 0.9], patience=2, baseline=1.0) == 6


def test_epochs_before_start_from_epoch_are_not_watched():
    figures = [1, 9, 9, 9, 8, 8, 8]
    assert epochs_until_stop(figures, patience=1) == 2
    assert epochs_until_stop(figures, patience=1, start_from_epoch=3) == 6


def test_the_weights_of_the_best_epoch_come_back():
    figures = [5, 3, 1, 2, 2, 2]
    callback = EarlyStopping(patience=2, restore_best_weights=True)
    model = run(callback, figures)
    assert (model.weight, callback.best, callback.best_epoch, callback.stopped_epoch) == (3, 1, 2, 4)
    assert run(EarlyStopping(patience=2), figures).weight == 5


def test_the_weights_come_back_where_training_was_not_stopped_too():
    assert run(EarlyStopping(patience=9, restore_best_weights=True), [3, 1, 2]).weight == 2


def test_the_best_epoch_comes_back_whether_or_not_it_beat_the_baseline():
    model = run(EarlyStopping(patience=2, baseline=0.1, restore_best_weights=True), [5, 3, 4, 4, 4])
    assert model.weight == 2


def test_without_any_figure_that_is_a_number_the_first_weights_come_back():
    assert run(EarlyStopping(patience=1, restore_best_weights=True), [np.nan, np.nan]).weight == 1


def test_an_object_starts_anew_in_each_fit():
    callback = EarlyStopping(patience=1)
    assert len(run(callback, [1, 2, 3]).rates) == 2
    assert len(run(callback, [9, 8, 9]).rates) == 3


def test_verbose_says_when_and_what(capsys):
    run(EarlyStopping(patience=1, restore_best_weights=True), [1, 2])
    assert capsys.readouterr().out == ""
    run(EarlyStopping(patience=1, restore_best_weights=True, verbose=1), [1, 2])
    assert capsys.readouterr().out == "Epoch 2: early stopping\nRestoring the weights of the best epoch, 1\n"


def test_early_stopping_stops_a_real_fit_and_restores_its_model():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3)).astype("float32")
    y = rng.normal(size=40).astype("float32")  # nothing to learn: the validation gets worse
    set_random_seed(0)
    model = Sequential([Input((3,)), Dense(30, activation="tanh"), Dense(1)])
    model.compile(SGD(0.1), "mse")
    stopper = EarlyStopping(patience=3, restore_best_weights=True)
    history = model.fit(x, y, epochs=200, validation_data=(-x, y), verbose=0, callbacks=[stopper])
    losses = history.history["val_loss"]
    assert len(losses) < 200 and stopper.best == min(losses) and len(losses) == np.argmin(losses) + 4
    assert model.evaluate(-x, y, verbose=0) == pytest.approx(min(losses), rel=1e-6)


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
    baseline=st.sampled_from([None, 1.0, 2.0]),
    start_from_epoch=st.integers(0, 3),
    restore_best_weights=st.booleans(),
)
def test_early_stopping_does_what_kerass_does(keras, figures, **arguments):
    ours, theirs = EarlyStopping(**arguments), keras.callbacks.EarlyStopping(**arguments)
    model, expected = run(ours, figures), run(theirs, figures)
    assert (model.rates, model.weight) == (expected.rates, expected.weight)
    assert (ours.stopped_epoch, ours.best_epoch, ours.wait) == (theirs.stopped_epoch, theirs.best_epoch, theirs.wait)


@pytest.mark.reference
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("cls", [EarlyStopping, ReduceLROnPlateau, LearningRateScheduler, ModelCheckpoint])
def test_arguments_and_defaults_are_kerass(keras, cls):
    def defaults(function):
        parameters = inspect.signature(function).parameters.values()
        return [(p.name, p.default) for p in parameters if p.kind is not p.VAR_KEYWORD]

    assert defaults(cls.__init__) == defaults(getattr(keras.callbacks, cls.__name__).__init__)


@pytest.mark.parametrize("cls", [EarlyStopping, ReduceLROnPlateau])
def test_there_is_no_best_before_the_first_epoch(cls):
    callback = cls("loss")
    callback.best = 0.1
    callback.on_train_begin()
    assert callback.best is None
