"""A fit that was killed goes on from its last epoch, with the same result as one that never was."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import scratchnet
from scratchnet import metrics, optimizers
from scratchnet.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
)
from scratchnet.layers import LSTM, Dense, Dropout, GaussianNoise, Input, TimeDistributed
from scratchnet.models import Sequential
from scratchnet.optimizers.schedules import ExponentialDecay
from scratchnet.utils import PyDataset, set_random_seed

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4)).astype("float32")
Y = (X.sum(axis=1) > 0).astype("int64")
EPOCHS = 6


class Killed(Exception):
    """Stands for the end of the process: nothing below fit handles it."""


def classifier(optimizer="adam", seed=0):
    """A model with all that makes a training step random."""
    set_random_seed(seed)
    layers = [
        Input((4,)),
        GaussianNoise(0.1),
        Dense(6, activation="tanh"),
        Dropout(0.3),
        Dense(2, activation="softmax"),
    ]
    model = Sequential(layers)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(model, callbacks=(), epochs=EPOCHS):
    return model.fit(X, Y, batch_size=8, epochs=epochs, validation_split=0.25, verbose=0, callbacks=list(callbacks))


def kill(hook="on_train_batch_end", epoch=3, batch=2):
    """A callback that raises `Killed` in that hook of that epoch (and batch)."""
    now = {}

    def at_epoch(number, logs):
        now["epoch"] = number
        if hook == "on_epoch_begin" and number == epoch:
            raise Killed

    def at_epoch_end(number, logs):
        if number == epoch:
            raise Killed

    def at_batch(number, logs):
        if (now["epoch"], number) == (epoch, batch):
            raise Killed

    def at_test(logs):
        if now["epoch"] == epoch:
            raise Killed

    functions = {"on_epoch_begin": at_epoch, "on_epoch_end": at_epoch_end, "on_test_end": at_test}
    return LambdaCallback(**{"on_epoch_begin": at_epoch, hook: functions.get(hook, at_batch)})


def killed_and_resumed(make_model, folder, make_callbacks=list, killer=None, epochs=EPOCHS):
    """(model, history) after a fit that was killed and the same fit by new objects with other random numbers."""
    killer = kill() if killer is None else killer
    with pytest.raises(Killed):
        fit(make_model(), [*make_callbacks(), BackupAndRestore(folder), killer], epochs)
    begun = (folder / "backup.npz").exists()
    model = make_model()
    if begun:  # what follows would be drawn otherwise, were it not restored
        model.set_weights([w + 1 for w in model.get_weights()])
        for stream in model.random_streams().values():
            stream.seed += 1
        set_random_seed(999)
    return model, fit(model, [*make_callbacks(), BackupAndRestore(folder)], epochs)


def assert_same(model, history, expected_model, expected_history):
    assert history.epoch == expected_history.epoch
    assert history.history == expected_history.history
    for w, expected in zip(model.get_weights(), expected_model.get_weights(), strict=True):
        np.testing.assert_array_equal(w, expected)
    state, expected_state = model.optimizer.get_state(), expected_model.optimizer.get_state()
    for key, value, expected in zip(state, state.values(), expected_state.values(), strict=True):
        np.testing.assert_array_equal(value, expected, err_msg=key)


# ---- the same result ----


@pytest.mark.parametrize(
    "killer",
    [
        kill("on_epoch_begin", epoch=0),
        kill("on_train_batch_end", epoch=0),
        kill("on_epoch_begin", epoch=1),
        kill("on_train_batch_begin", epoch=3, batch=0),
        kill("on_train_batch_end", epoch=3, batch=3),
        kill("on_test_end", epoch=3),
        kill("on_epoch_end", epoch=3),
        kill("on_epoch_end", epoch=EPOCHS - 1),
    ],
    ids=lambda killer: next(k for k in reversed(vars(killer)) if k.startswith("on_")),
)
def test_killed_at_any_moment_the_result_is_the_same_to_the_bit(tmp_path, killer):
    expected = classifier()
    expected_history = fit(expected)
    model, history = killed_and_resumed(classifier, tmp_path / "backup", killer=killer)
    assert_same(model, history, expected, expected_history)


def test_killed_again_and_again(tmp_path):
    expected = classifier()
    expected_history = fit(expected)
    for epoch in (1, 2, 2, 4):
        with pytest.raises(Killed):
            fit(classifier(), [BackupAndRestore(tmp_path), kill(epoch=epoch)])
        set_random_seed(epoch)
    model = classifier()
    assert_same(model, fit(model, [BackupAndRestore(tmp_path)]), expected, expected_history)


@pytest.mark.parametrize(
    "make_optimizer",
    [
        lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        lambda: optimizers.RMSprop(momentum=0.5, centered=True),
        lambda: optimizers.Adagrad(),
        lambda: optimizers.Adam(amsgrad=True),
        lambda: optimizers.AdamW(weight_decay=0.1),
        lambda: optimizers.Nadam(),
        lambda: optimizers.SGD(ExponentialDecay(0.5, 3, 0.9)),
    ],
    ids=["SGD", "RMSprop", "Adagrad", "Adam", "AdamW", "Nadam", "schedule"],
)
def test_every_optimizer_goes_on(tmp_path, make_optimizer):
    expected = classifier(make_optimizer())
    expected_history = fit(expected)
    model, history = killed_and_resumed(lambda: classifier(make_optimizer()), tmp_path)
    assert_same(model, history, expected, expected_history)


def test_recurrent_nested_and_frozen_layers_and_models_that_fit_builds_go_on(tmp_path):
    x = RNG.normal(size=(20, 3, 4)).astype("float32")

    def make():
        set_random_seed(0)
        inner = Sequential([Input((3, 4)), TimeDistributed(Dropout(0.2)), LSTM(5, return_sequences=True)], name="inner")
        frozen = Dense(4, trainable=False, name="frozen")
        model = Sequential([inner, frozen, Dropout(0.2), LSTM(3), Dense(1)], name="outer")
        model.compile("adam", "mse")
        return model

    def train(model, callbacks=()):
        return model.fit(x, x[:, 0, 0], batch_size=5, epochs=4, verbose=0, callbacks=list(callbacks))

    expected = make()
    expected_history = train(expected)
    with pytest.raises(Killed):
        train(make(), [BackupAndRestore(tmp_path), kill(epoch=2)])
    set_random_seed(5)
    model = make()
    assert_same(model, train(model, [BackupAndRestore(tmp_path)]), expected, expected_history)


# ---- within an epoch ----


class Rows(PyDataset):
    """The rows of X, 8 at a time."""

    def __len__(self):
        return 5

    def __getitem__(self, k):
        return X[8 * k : 8 * k + 8], Y[8 * k : 8 * k + 8]


class Batches:
    """The same batches in every pass, without numbers."""

    def __iter__(self):
        return iter([Rows()[k] for k in range(5)])


class LargestPrediction(metrics.Metric):
    """A metric of a user, with attributes of its own."""

    def reset_state(self):
        self.seen = {"largest": [0.0, np.zeros(2)], "odd": {3: 4}}

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.seen["largest"][0] = max(self.seen["largest"][0], float(np.max(y_pred)))
        self.seen["largest"][1] += np.sum(y_pred, axis=0)

    def result(self):
        return self.seen["largest"][0] + self.seen["largest"][1].sum()


def measured(seed=0):
    model = classifier(seed=seed)
    inner = metrics.MeanMetricWrapper(lambda y, p: np.abs(y - p[:, 1]), name="distance")
    model.compile(
        "adam", "sparse_categorical_crossentropy", metrics=["accuracy", inner, LargestPrediction(name="largest")]
    )
    return model


def fit_on(data, model, callbacks, **options):
    given = {"x": X, "y": Y, "batch_size": 8} if data is None else {"x": data()}
    options = {"epochs": 4, "validation_data": (X[:9], Y[:9]), "verbose": 0, **options}
    return model.fit(**given, callbacks=callbacks, **options)


@pytest.mark.parametrize("data", [None, Rows, Batches])
@pytest.mark.parametrize(
    ("killer", "options"),
    [
        (kill("on_train_batch_end", epoch=0, batch=1), {}),  # before there is a backup of its midst
        (kill("on_train_batch_begin", epoch=0, batch=3), {}),
        (kill("on_train_batch_end", epoch=2, batch=4), {}),
        (kill("on_test_end", epoch=2), {}),  # the backup is of the last batch of the epoch
        (kill("on_epoch_end", epoch=1), {"shuffle": False}),
        (kill("on_train_batch_end", epoch=3, batch=1), {"steps_per_epoch": 2}),
        (kill("on_epoch_begin", epoch=2), {"steps_per_epoch": 3}),
    ],
)
@pytest.mark.filterwarnings("ignore:the training data ended after")
def test_killed_within_an_epoch_the_result_is_the_same_to_the_bit(tmp_path, data, killer, options):
    if data is Batches and "steps_per_epoch" in options:
        options = {}  # begins anew
    expected = measured()
    expected_history = fit_on(data, expected, [], **options)
    with pytest.raises(Killed):
        fit_on(data, measured(), [BackupAndRestore(tmp_path, save_freq=3), killer], **options)
    model = measured(seed=5)
    history = fit_on(data, model, [BackupAndRestore(tmp_path, save_freq=3)], **options)
    assert_same(model, history, expected, expected_history)


def test_counts_of_batches_go_on_from_epoch_to_epoch_and_over_interruptions(tmp_path):
    def backups_of(callbacks):
        found = []

        class Watched(BackupAndRestore):
            def _back_up(self, epoch, done=0):
                found.append((epoch, done))
                super()._back_up(epoch, done)

        try:
            fit_on(None, measured(), [Watched(tmp_path, save_freq=3), *callbacks])
        except Killed:
            pass
        return found

    assert backups_of([kill(epoch=2, batch=3)]) == [(0, 0), (0, 3), (1, 1), (1, 4), (2, 2)]
    assert backups_of([]) == [(2, 5), (3, 3)]  # after 15 and 18 of all 20 batches


def test_an_epoch_that_a_batch_has_stopped_ends_after_an_interruption_too(tmp_path):
    def stop():
        return LambdaCallback(on_train_batch_end=lambda batch, logs: setattr(now[0], "stop_training", batch == 2))

    now = [measured()]
    expected_history = fit_on(None, now[0], [stop()])
    expected, now[0] = now[0], measured()
    with pytest.raises(Killed):
        fit_on(None, now[0], [stop(), BackupAndRestore(tmp_path, save_freq=3), kill("on_test_end", epoch=0)])
    now[0] = measured(seed=4)
    history = fit_on(None, now[0], [stop(), BackupAndRestore(tmp_path, save_freq=3)])
    assert_same(now[0], history, expected, expected_history)
    assert history.epoch == [0]


# ---- the other callbacks ----


def watchers(folder):
    """Callbacks whose memory of earlier epochs decides what they do in later ones."""
    return [
        LearningRateScheduler(lambda epoch, rate: rate * 0.9),
        ReduceLROnPlateau(monitor="val_accuracy", factor=0.5, patience=2),
        EarlyStopping(monitor="val_accuracy", patience=4, restore_best_weights=True),
        ModelCheckpoint(folder / "best-{epoch}.keras", monitor="val_accuracy", save_best_only=True),
        ModelCheckpoint(folder / "step-{epoch}-{batch}.keras", save_freq=5),
        CSVLogger(folder / "log.csv"),
    ]


@pytest.mark.parametrize("epoch", range(1, 6))
def test_the_other_callbacks_go_on_as_if_nothing_had_happened(tmp_path, epoch):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()

    def make():
        return classifier(optimizers.Adam(0.05))

    expected = make()
    expected_history = fit(expected, watchers(whole), epochs=12)
    assert epoch < len(expected_history.epoch) < 12, "the example is meant to be killed, and to end early"
    model, history = killed_and_resumed(make, tmp_path / "backup", lambda: watchers(parts), kill(epoch=epoch), 12)
    assert_same(model, history, expected, expected_history)
    assert (parts / "log.csv").read_text() == (whole / "log.csv").read_text()
    assert {p.name for p in parts.iterdir()} == {p.name for p in whole.iterdir()}


@pytest.mark.parametrize("epoch", [0, 2])
@pytest.mark.parametrize("append", [False, True])
def test_rows_of_an_epoch_that_is_repeated_are_not_written_twice(tmp_path, append, epoch):
    """Killed after the table had the row of the epoch, and before the backup had."""
    log = tmp_path / "log.csv"
    if append:
        fit(classifier(), [CSVLogger(log)], epochs=2)
    before = log.read_text() if append else ""

    def loggers():
        return [CSVLogger(log, append=append)]

    killed_and_resumed(classifier, tmp_path / "backup", loggers, kill("on_epoch_end", epoch=epoch))
    text = log.read_text()
    assert text.startswith(before)
    rows = [line.split(",")[0] for line in text[len(before) :].splitlines() if not line.startswith("epoch")]
    assert rows == [str(epoch) for epoch in range(EPOCHS)]


class Counter(Callback):
    """A callback of a user, with a state of every kind."""

    state_names = ("seen", "table", "array", "nothing", "scalar", "nested")

    def __init__(self):
        super().__init__()
        self.seen, self.table, self.array, self.nothing = 0, {}, np.zeros(2, "float32"), None
        self.scalar, self.nested = np.float32(0.1), [np.arange(3), {"deep": np.ones((1, 2))}]

    def on_epoch_end(self, epoch, logs=None):
        self.seen += 1
        self.table[f"epoch {epoch}"] = logs["loss"]
        self.array = self.array + 1
        logs["strange"] = np.float32(epoch)


def test_callbacks_of_a_user_keep_what_they_name(tmp_path):
    counters = []

    def make():
        counters.append(Counter())
        return [counters[-1]]

    _, history = killed_and_resumed(classifier, tmp_path, make)
    before, after = counters
    assert after.seen == EPOCHS and list(after.table) == [f"epoch {k}" for k in range(EPOCHS)]
    assert after.array.dtype == np.float32 and list(after.array) == [EPOCHS] * 2 and after.nothing is None
    assert np.float32(after.scalar) == np.float32(0.1)
    np.testing.assert_array_equal(after.nested[0], [0, 1, 2])
    np.testing.assert_array_equal(after.nested[1]["deep"], [[1, 1]])
    assert history.history["strange"] == list(range(EPOCHS))


def test_a_state_of_a_users_own_making_is_kept_too(tmp_path):
    class Own(Callback):
        epochs = 0

        def get_state(self):
            return {"count": self.epochs}

        def set_state(self, state):
            self.epochs = state["count"]

        def on_epoch_end(self, epoch, logs=None):
            self.epochs += 1

    made = []
    killed_and_resumed(classifier, tmp_path, lambda: made.append(Own()) or [made[-1]])
    assert made[-1].epochs == EPOCHS


def test_callbacks_without_a_state_may_differ_and_the_place_of_the_backup_does_not_matter(tmp_path):
    expected = classifier()
    expected_history = fit(expected)
    with pytest.raises(Killed):
        fit(classifier(), [BackupAndRestore(tmp_path), kill()])
    model = classifier(seed=7)
    history = fit(model, [LambdaCallback(), BackupAndRestore(tmp_path), LambdaCallback()])
    assert_same(model, history, expected, expected_history)


def test_layers_are_matched_by_name_before_they_are_matched_in_order(tmp_path):
    def make(names):
        set_random_seed(0)
        model = Sequential([Input((4,)), *(Dense(4, activation="tanh", name=name) for name in names)])
        model.compile("adam", "mse")
        return model

    def train(model):
        return model.fit(X, X, epochs=2, verbose=0, callbacks=[BackupAndRestore(tmp_path, delete_checkpoint=False)])

    model = make(["enc_1", "enc_2"])
    train(model)
    swapped = make(["enc_2", "enc_1"])
    train(swapped)
    for name in ("enc_1", "enc_2"):
        for key in ("kernel", "bias"):
            np.testing.assert_array_equal(swapped.params[f"{name}/{key}"], model.params[f"{name}/{key}"])


# ---- the file ----


def test_the_backup_goes_when_the_fit_has_ended(tmp_path):
    folder = tmp_path / "deep" / "backup"
    there = []
    look = LambdaCallback(on_epoch_begin=lambda epoch, logs: there.append(sorted(os.listdir(folder))))
    fit(classifier(), [BackupAndRestore(folder), look], epochs=2)
    assert there == [["backup.npz"], ["backup.npz"]]
    assert not folder.exists() and folder.parent.exists()


def test_files_of_others_and_their_folder_stay(tmp_path):
    (tmp_path / "mine.txt").write_text("keep me")
    (tmp_path / "backup.npz.x1y2.tmp").write_text("left by a process that was killed while it wrote")
    fit(classifier(), [BackupAndRestore(tmp_path)], epochs=1)
    assert os.listdir(tmp_path) == ["mine.txt"]


def test_a_kept_backup_lets_a_longer_fit_go_on(tmp_path):
    def keep():
        return [BackupAndRestore(tmp_path, delete_checkpoint=False)]

    expected = classifier()
    expected_history = fit(expected)
    fit(classifier(), keep(), epochs=4)
    assert os.listdir(tmp_path) == ["backup.npz"]
    model = classifier(seed=3)
    assert_same(model, fit(model, keep()), expected, expected_history)
    again = classifier(seed=4)
    assert_same(again, fit(again, keep()), expected, expected_history)  # nothing is left to train


def test_a_fit_that_was_stopped_and_then_killed_stays_stopped(tmp_path):
    def stop(epoch, logs):
        model.stop_training = np.bool_(epoch == 1)

    model = classifier()
    fit(model, [LambdaCallback(on_epoch_end=stop), BackupAndRestore(tmp_path, delete_checkpoint=False)])
    resumed = classifier(seed=3)
    history = fit(resumed, [BackupAndRestore(tmp_path)])
    assert history.epoch == [0, 1]
    np.testing.assert_array_equal(resumed.get_weights()[0], model.get_weights()[0])


def test_without_a_backup_fit_begins_where_it_was_told(tmp_path):
    model = classifier()
    history = model.fit(X, Y, epochs=3, initial_epoch=1, verbose=0, callbacks=[BackupAndRestore(tmp_path)])
    assert history.epoch == [1, 2]


def backup_of(folder, make_callbacks=list):
    with pytest.raises(Killed):
        fit(classifier(), [*make_callbacks(), BackupAndRestore(folder), kill()])
    return folder / "backup.npz"


def damage(kind, path):
    data = bytearray(path.read_bytes())
    if kind == "cut":
        data = data[: len(data) // 2]
    elif kind == "empty":
        data = b""
    elif kind == "foreign":
        data = b"this is no archive at all"
    elif kind == "flipped":
        for place in range(0, len(data), len(data) // 10):  # some of them are not those of headers
            data[place] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.parametrize("kind", ["cut", "empty", "foreign", "flipped"])
def test_a_damaged_backup_is_named_with_the_way_out_and_changes_nothing(tmp_path, kind):
    path = backup_of(tmp_path)
    damage(kind, path)
    model = classifier(seed=3)
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"BackupAndRestore: .*backup\.npz cannot be restored .*delete it to start"):
        fit(model, [BackupAndRestore(tmp_path)])
    for w, expected in zip(model.get_weights(), before):
        np.testing.assert_array_equal(w, expected)
    path.unlink()
    assert fit(model, [BackupAndRestore(tmp_path)], epochs=1).epoch == [0]


def test_a_saved_model_in_its_place_is_refused(tmp_path):
    classifier().save(tmp_path / "backup.npz")
    with pytest.raises(ValueError, match="holds a model, expected a backup"):
        fit(classifier(), [BackupAndRestore(tmp_path)])


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda: Sequential([Input((4,)), Dense(2, activation="softmax")]), "of another model"),
        (lambda: Sequential([Input((4,)), Dense(7), Dropout(0.3), Dense(2, activation="softmax")]), "of another model"),
    ],
)
def test_the_backup_of_another_model_is_refused(tmp_path, change, message):
    backup_of(tmp_path)
    model = change()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    with pytest.raises(ValueError, match=f"cannot be restored .*{message}"):
        fit(model, [BackupAndRestore(tmp_path)])


def test_the_backup_of_another_optimizer_is_refused_and_changes_nothing(tmp_path):
    backup_of(tmp_path)
    model = classifier("sgd", seed=3)
    before = model.get_weights()
    with pytest.raises(ValueError, match="cannot be restored .*SGD: this is the state of another optimizer"):
        fit(model, [BackupAndRestore(tmp_path)])
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_the_backup_of_other_callbacks_is_refused(tmp_path):
    backup_of(tmp_path, lambda: [EarlyStopping()])
    with pytest.raises(ValueError, match="it was made with the callbacks EarlyStopping, History"):
        fit(classifier(), [BackupAndRestore(tmp_path)])


def test_a_crash_while_the_backup_is_written_leaves_the_one_before(tmp_path, monkeypatch):
    expected = classifier()
    expected_history = fit(expected)
    replace, calls = os.replace, []

    def failing(source, target):
        calls.append(target)
        if len(calls) == 3:
            raise Killed
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", failing)
        with pytest.raises(Killed):
            fit(classifier(), [BackupAndRestore(tmp_path)])
    model = classifier(seed=3)
    assert_same(model, fit(model, [BackupAndRestore(tmp_path)]), expected, expected_history)


PROGRAM = """
    import os, sys
    import numpy as np
    from scratchnet.callbacks import BackupAndRestore, LambdaCallback
    from scratchnet.layers import Dense, Dropout, Input
    from scratchnet.models import Sequential
    from scratchnet.utils import set_random_seed

    folder, result, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
    set_random_seed(int(sys.argv[4]))
    x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    model = Sequential([Input((4,)), Dense(8, activation="tanh"), Dropout(0.2), Dense(1)], name="same")
    model.compile("adam", "mse")
    done = []

    def step(batch, logs):
        done.append(batch)
        if len(done) == steps:
            os._exit(9)  # no exception handler, no finally, no flushing of files

    model.fit(x, x[:, 0], batch_size=16, epochs=4, verbose=0,
              callbacks=[LambdaCallback(on_train_batch_end=step), BackupAndRestore(folder)])
    np.save(result, np.concatenate([w.ravel() for w in model.get_weights()]))
    print(len(done))
"""


def test_a_process_that_is_gone_is_continued_by_another(tmp_path):
    root = os.path.dirname(os.path.dirname(scratchnet.__file__))
    environment = {**os.environ, "PYTHONPATH": root, "SCRATCHNET_BACKEND": "numpy"}

    def process(folder, result, steps, seed):
        command = [sys.executable, "-c", textwrap.dedent(PROGRAM), folder, result, steps, seed]
        return subprocess.run(
            [str(part) for part in command], env=environment, capture_output=True, text=True, check=False
        )

    whole = process(tmp_path / "a", tmp_path / "whole.npy", 0, 1)
    assert (whole.returncode, whole.stdout) == (0, "16\n"), whole.stderr
    assert process(tmp_path / "b", tmp_path / "parts.npy", 10, 1).returncode == 9
    resumed = process(tmp_path / "b", tmp_path / "parts.npy", 0, 2)
    assert (resumed.returncode, resumed.stdout) == (0, "8\n"), resumed.stderr  # the last two epochs of four steps
    np.testing.assert_array_equal(np.load(tmp_path / "parts.npy"), np.load(tmp_path / "whole.npy"))


# ---- arguments ----


def test_arguments_that_make_no_sense_or_are_kerass_alone_are_refused(tmp_path):
    with pytest.raises(ValueError, match="backup_dir must name a folder"):
        BackupAndRestore("")
    for save_freq in (0, 1.5, False):
        with pytest.raises(ValueError, match='save_freq must be "epoch" or a number of batches, got'):
            BackupAndRestore(tmp_path, save_freq=save_freq)
    assert BackupAndRestore(tmp_path, "epoch", True).delete_checkpoint  # Keras's double_checkpoint changes nothing
    with pytest.raises(TypeError, match="save_before_preemption"):
        BackupAndRestore(tmp_path, save_before_preemption=True)


def test_a_folder_that_cannot_be_made_is_told_before_training(tmp_path):
    (tmp_path / "file").touch()
    started = []
    with pytest.raises(FileExistsError):
        fit(
            classifier(),
            [BackupAndRestore(tmp_path / "file"), LambdaCallback(on_epoch_begin=lambda *_: started.append(1))],
        )
    assert not started
