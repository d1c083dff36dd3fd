"""EarlyStopping, ReduceLROnPlateau and what they share: which way is better, and for how long it was not."""

import inspect
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.callbacks import EarlyStopping, LearningRateScheduler, ModelCheckpoint, ReduceLROnPlateau
from scratchnet.callbacks.monitor import Monitor
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential
from scratchnet.optimizers import SGD
from scratchnet.optimizers.schedules import ExponentialDecay
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


# ---- which way is better ----


@pytest.mark.parametrize(
    "monitor, mode",
    [
        ("loss", "min"),
        ("val_loss", "min"),
        ("decoder_loss", "min"),
        ("val_mae", "min"),
        ("mean_squared_error", "min"),
        ("root_mean_squared_error_3", "min"),
        ("val_binary_crossentropy", "min"),
        ("kl_divergence", "min"),
        ("accuracy", "max"),
        ("val_acc", "max"),
        ("Accuracy", "max"),
        ("val_sparse_top_k_categorical_accuracy", "max"),
        ("precision_1", "max"),
        ("val_recall", "max"),
        ("auc", "max"),
        ("out_cosine_similarity", "max"),
    ],
)
def test_auto_mode_goes_by_the_name(monitor, mode):
    assert EarlyStopping(monitor).mode == mode


@pytest.mark.parametrize("monitor", ["lossy", "speed", "my_metric", "learning_rate"])
def test_a_name_that_does_not_say_needs_a_mode(monitor):
    with pytest.raises(ValueError, match=f"EarlyStopping: the name '{monitor}' does not say .* pass mode="):
        EarlyStopping(monitor)
    assert EarlyStopping(monitor, mode="max").mode == "max"


@pytest.mark.parametrize("cls", [EarlyStopping, ReduceLROnPlateau])
def test_an_unknown_mode_is_refused(cls):
    with pytest.raises(ValueError, match=f"""{cls.__name__}: mode must be "auto", "min" or "max", got 'down'"""):
        cls(mode="down")


def test_better_means_by_more_than_min_delta():
    lower, higher = Monitor("loss", "auto", 0.5), Monitor("accuracy", "auto", -0.5)  # the sign of min_delta is ignored
    assert lower.improved(0.9, 1.5) and not lower.improved(1.0, 1.5)
    assert higher.improved(1.6, 1.0) and not higher.improved(1.5, 1.0)
    for monitor in (lower, higher):
        assert monitor.improved(7.0, monitor.worst)
        assert not monitor.improved(np.nan, monitor.worst)


@pytest.mark.parametrize("cls", [EarlyStopping, ReduceLROnPlateau])
def test_a_missing_figure_is_told_once_with_what_there_is(cls):
    callback = cls(monitor="val_loss", patience=0)
    callback.set_model(FakeModel())
    callback.on_train_begin()
    with pytest.warns(
        UserWarning, match=f"{cls.__name__}: there is no 'val_loss' in the logs; there are loss, mae"
    ) as told:
        for epoch in range(3):
            callback.on_epoch_end(epoch, {"loss": 1.0, "mae": 2.0})
    assert len(told) == 1
    assert not callback.model.stop_training and callback.model.optimizer.learning_rate == 1.0


@pytest.mark.parametrize("patience", [-1, "3", None, True, np.nan])
@pytest.mark.parametrize("cls", [EarlyStopping, ReduceLROnPlateau])
def test_a_patience_that_is_no_count_is_refused(cls, patience):
    with pytest.raises(ValueError, match=f"{cls.__name__}: patience must be a number of at least 0, got"):
        cls(patience=patience)


# ---- EarlyStopping ----


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


# ---- ReduceLROnPlateau ----


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


# ---- LearningRateScheduler ----


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


# ---- against Keras ----

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


@pytest.mark.reference
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("cls", [EarlyStopping, ReduceLROnPlateau, LearningRateScheduler, ModelCheckpoint])
def test_arguments_and_defaults_are_kerass(keras, cls):
    def defaults(function):
        parameters = inspect.signature(function).parameters.values()
        return [(p.name, p.default) for p in parameters if p.kind is not p.VAR_KEYWORD]

    assert defaults(cls.__init__) == defaults(getattr(keras.callbacks, cls.__name__).__init__)
