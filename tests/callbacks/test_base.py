"""When fit, evaluate and predict call which hook, and with what."""

import numpy as np
import pytest

from scratchnet import callbacks
from scratchnet.callbacks import Callback, CallbackList, LambdaCallback, ProgbarLogger
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


class Recorder(Callback):
    """Writes down every call of a hook."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def __getattribute__(self, name):
        if not name.startswith("on_"):
            return super().__getattribute__(name)
        return lambda *args, **kwargs: self.calls.append((name, *args, *kwargs.values()))

    @property
    def names(self):
        return [name for name, *_ in self.calls]


def test_fit_calls_the_hooks_in_kerass_order():
    recorder = Recorder()
    model().fit(X, Y, batch_size=4, epochs=2, validation_data=(X, Y), verbose=0, callbacks=[recorder])
    epoch = (
        ["on_epoch_begin"]
        + ["on_train_batch_begin", "on_train_batch_end"] * 2
        + ["on_test_begin"]
        + ["on_test_batch_begin", "on_test_batch_end"] * 2
        + ["on_test_end", "on_epoch_end"]
    )
    # Two threads may compute two batches of the validation at a time: their begins come before their ends.
    assert sorted(recorder.names) == sorted(["on_train_begin", *epoch, *epoch, "on_train_end"])
    assert [name for name in recorder.names if "test_batch" not in name] == [
        "on_train_begin",
        *[name for name in epoch * 2 if "test_batch" not in name],
        "on_train_end",
    ]


def test_evaluate_and_predict_call_their_own_hooks():
    network = model()
    recorder = Recorder()
    network.evaluate(X, Y, batch_size=3, verbose=0, callbacks=[recorder])
    assert set(recorder.names) == {"on_test_begin", "on_test_batch_begin", "on_test_batch_end", "on_test_end"}
    recorder = Recorder()
    network.predict(X, batch_size=3, verbose=0, callbacks=[recorder])
    assert [call[1] for call in recorder.calls if call[0] == "on_predict_batch_end"] == [0, 1]
    assert recorder.names[0] == "on_predict_begin" and recorder.names[-1] == "on_predict_end"


def test_epochs_and_batches_are_counted_from_zero_and_batches_anew_in_each_epoch():
    recorder = Recorder()
    model().fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[recorder])
    assert [call[1] for call in recorder.calls if call[0] == "on_epoch_end"] == [0, 1]
    assert [call[1] for call in recorder.calls if call[0] == "on_train_batch_end"] == [0, 1, 0, 1]


def test_logs_are_dicts_of_floats_under_kerass_keys():
    recorder = Recorder()
    model().fit(X, Y, batch_size=4, validation_data=(X, Y), verbose=0, callbacks=[recorder])
    logs = {name: args[-1] for name, *args in recorder.calls}
    assert list(logs["on_epoch_end"]) == ["loss", "mae", "val_loss", "val_mae"]
    assert list(logs["on_train_batch_end"]) == ["loss", "mae"]
    assert all(type(value) is float for value in logs["on_epoch_end"].values())
    assert logs["on_train_begin"] == logs["on_epoch_begin"] == logs["on_train_batch_begin"] == {}


def test_every_hook_may_demand_its_logs():
    seen = []
    about_all = {
        f"on_{what}_{moment}": lambda logs: seen.append(logs)
        for what in ("train", "test", "predict")
        for moment in ("begin", "end")
    }
    about_one = {
        f"on_{what}_{moment}": lambda number, logs: seen.append(logs)
        for what in ("epoch", "train_batch", "test_batch", "predict_batch")
        for moment in ("begin", "end")
    }
    demanding = LambdaCallback(**about_all, **about_one)
    network = model()
    network.fit(X, Y, validation_split=0.5, verbose=0, callbacks=[demanding])
    network.predict(X, verbose=0, callbacks=[demanding])
    assert len(seen) == 14 and all(isinstance(logs, dict) for logs in seen)


def test_what_a_callback_adds_to_the_logs_the_later_ones_and_the_history_see():
    seen = []
    first = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(extra=epoch * 2.0))
    second = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["extra"]))
    history = model().fit(X, Y, epochs=2, verbose=0, callbacks=[first, second])
    assert seen == history.history["extra"] == [0.0, 2.0]


def test_the_old_names_of_the_batch_hooks_are_called():
    class Old(Callback):
        batches = ()

        def on_batch_begin(self, batch, logs=None):
            self.batches += (f"begin {batch}",)

        def on_batch_end(self, batch, logs=None):
            self.batches += (f"end {batch}",)
            assert logs["loss"] > 0

    old = Old()
    model().fit(X, Y, batch_size=4, verbose=0, callbacks=[old])
    assert old.batches == ("begin 0", "end 0", "begin 1", "end 1")


def test_a_callback_knows_its_model_and_the_parameters_of_the_fit():
    network, callback = model(), Callback()
    network.fit(X, Y, batch_size=4, epochs=3, verbose=0, callbacks=[callback])
    assert callback.model is network
    assert callback.params == {"verbose": 0, "epochs": 3, "steps": 2}


def test_a_callback_need_not_call_the_constructor_of_its_base():
    class Bare(Callback):
        def __init__(self):
            self.epochs = 0

        def on_epoch_end(self, epoch, logs=None):
            self.epochs += self.model is not None

    bare = Bare()
    model().fit(X, Y, epochs=2, verbose=0, callbacks=bare)
    assert bare.epochs == 2


@pytest.mark.parametrize("hook", ["on_train_batch_end", "on_epoch_end"])
def test_stop_training_ends_fit_within_the_epoch(hook):
    network, recorder = model(), Recorder()

    def stop(number, logs):
        network.stop_training = True

    history = network.fit(X, Y, batch_size=2, epochs=5, verbose=0, callbacks=[LambdaCallback(**{hook: stop}), recorder])
    assert history.epoch == [0]
    assert recorder.names.count("on_train_batch_end") == (1 if hook == "on_train_batch_end" else 3)
    assert recorder.names[-1] == "on_train_end"
    assert network.fit(X, Y, epochs=2, verbose=0).epoch == [0, 1]  # the next fit is not stopped


@pytest.mark.parametrize(
    "hook", ["on_train_begin", "on_epoch_begin", "on_train_batch_end", "on_test_end", "on_train_end"]
)
def test_an_exception_in_a_hook_reaches_the_caller(hook):
    def fail(*args):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        model().fit(X, Y, validation_split=0.5, verbose=0, callbacks=[LambdaCallback(**{hook: fail})])


def test_an_interrupted_fit_tells_the_callbacks_instead_of_ending():
    recorder = Recorder()
    with pytest.raises(KeyboardInterrupt):
        model().fit(X, Y, verbose=0, callbacks=[recorder, LambdaCallback(on_train_batch_end=interrupt)])
    assert recorder.names[-1] == "on_train_interrupted" and "on_train_end" not in recorder.names


def interrupt(batch, logs):
    raise KeyboardInterrupt


@pytest.mark.parametrize("wrong", [Callback, "EarlyStopping", print, None])
def test_what_is_no_callback_is_refused(wrong):
    with pytest.raises(TypeError, match="callbacks must be Callback objects, got"):
        model().fit(X, Y, verbose=0, callbacks=[wrong])


def test_a_callback_list_is_a_callback_that_calls_all():
    first, second = Recorder(), Recorder()
    both = CallbackList([first, second], model="the model", epochs=1)
    assert list(both) == [first, second]
    assert first.model == second.model == both.model == "the model" and second.params == {"epochs": 1}
    for name in [name for name in vars(Callback) if name.startswith("on_")]:
        numbered = "epoch" in name or "batch" in name
        getattr(both, name)(*[7] * numbered)
        expected = (name, *[7] * numbered, *[{}] * (name != "on_train_interrupted"))
        assert first.calls[-1] == second.calls[-1] == expected


def test_kerass_other_callbacks_are_refused_by_name():
    with pytest.raises(AttributeError, match="scratchnet.callbacks has no 'RemoteMonitor'.*docs/keras.md"):
        _ = callbacks.RemoteMonitor
    with pytest.raises(AttributeError, match="has no 'Erlystopping'; closest: EarlyStopping"):
        _ = callbacks.Erlystopping


def test_figures_are_only_worked_out_for_callbacks_that_look_at_batches():
    class Looks(Callback):
        def on_batch_end(self, batch, logs=None):
            pass

    assert not CallbackList([Callback(), LambdaCallback(on_epoch_end=print)]).wants_logs_of_batches
    for callback in (Looks(), LambdaCallback(on_train_batch_end=print), ProgbarLogger()):
        assert CallbackList([Callback(), callback]).wants_logs_of_batches
    assert not CallbackList().wants_logs_of_batches
