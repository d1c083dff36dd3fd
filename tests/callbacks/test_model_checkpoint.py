"""ModelCheckpoint: which files a fit leaves behind."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.callbacks import LambdaCallback, ModelCheckpoint
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential, load_model
from scratchnet.utils import set_random_seed

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")


Y = X.sum(axis=1)


def model():
    set_random_seed(0)
    network = Sequential([Input((3,)), Dense(2, activation="tanh"), Dense(1)])
    network.compile("sgd", "mse", metrics=["mae"])
    return network


class FakeModel:
    """Writes down where it was saved to."""

    def __init__(self):
        self.saved = []

    def save(self, path, overwrite=True):
        self.saved.append(path)

    def save_weights(self, path, overwrite=True):
        self.saved.append(f"weights {path}")


def saved(callback, figures, key="val_loss"):
    """The epochs, from 0, after which `callback` saved."""
    fake, epochs = FakeModel(), []
    callback.set_model(fake)
    callback.on_train_begin()
    for epoch, figure in enumerate(figures):
        callback.on_epoch_begin(epoch)
        count = len(fake.saved)
        callback.on_epoch_end(epoch, {key: figure})
        epochs += [epoch] * (len(fake.saved) - count)
    return epochs


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_each_epoch_gets_a_file_of_its_name(tmp_path):
    checkpoint = ModelCheckpoint(tmp_path / "{epoch:02d}-{val_loss:.2f}.keras")
    history = model().fit(X, Y, epochs=2, validation_split=0.25, verbose=0, callbacks=[checkpoint])
    losses = history.history["val_loss"]
    assert names(tmp_path) == [f"01-{losses[0]:.2f}.keras", f"02-{losses[1]:.2f}.keras"]


def test_a_saved_file_is_the_model_of_its_epoch(tmp_path):
    network, outputs = model(), []
    remember = LambdaCallback(on_epoch_end=lambda epoch, logs: outputs.append(network.predict(X, verbose=0)))
    checkpoints = [
        ModelCheckpoint(str(tmp_path / "{epoch}.keras")),
        ModelCheckpoint(tmp_path / "{epoch}.weights.h5", save_weights_only=True),
    ]
    network.fit(X, Y, epochs=2, verbose=0, callbacks=[remember, *checkpoints])
    for epoch in (1, 2):
        np.testing.assert_array_equal(load_model(tmp_path / f"{epoch}.keras").predict(X, verbose=0), outputs[epoch - 1])
        network.load_weights(tmp_path / f"{epoch}.weights.h5")
        np.testing.assert_array_equal(network.predict(X, verbose=0), outputs[epoch - 1])


def test_a_name_without_a_number_is_overwritten(tmp_path):
    network = model()
    network.fit(X, Y, epochs=3, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "model.keras")])
    assert names(tmp_path) == ["model.keras"]
    np.testing.assert_array_equal(
        load_model(tmp_path / "model.keras").predict(X, verbose=0), network.predict(X, verbose=0)
    )


def test_missing_folders_are_made(tmp_path):
    model().fit(X, Y, epochs=2, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "run" / "epoch {epoch}" / "m.keras")])
    assert names(tmp_path / "run") == ["epoch 1", "epoch 2"]


def test_a_name_in_the_current_folder_will_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model().fit(X, Y, verbose=0, callbacks=[ModelCheckpoint("model.keras")])
    assert names(tmp_path) == ["model.keras"]


def test_only_improvements_are_saved():
    figures = [5, 4, 4, 6, np.nan, 3, 3.5]
    assert saved(ModelCheckpoint("m", save_best_only=True), figures) == [0, 1, 5]
    assert saved(ModelCheckpoint("m", "val_accuracy", save_best_only=True), figures, "val_accuracy") == [0, 3]
    assert saved(ModelCheckpoint("m", mode="max", save_best_only=True), figures) == [0, 3]
    assert saved(ModelCheckpoint("m"), figures) == [0, 1, 2, 3, 4, 5, 6]


def test_the_first_saved_model_has_to_beat_the_threshold():
    assert saved(ModelCheckpoint("m", save_best_only=True, initial_value_threshold=3.8), [5, 4, 3, 3.5]) == [2]


def test_the_best_figure_is_kept_from_fit_to_fit():
    checkpoint = ModelCheckpoint("m", save_best_only=True)
    assert saved(checkpoint, [5, 4]) == [0, 1]
    assert saved(checkpoint, [4.5, 3]) == [1]
    assert checkpoint.best == 3


def test_without_the_figure_it_warns_once_and_saves():
    checkpoint = ModelCheckpoint("m", save_best_only=True)
    with pytest.warns(UserWarning, match="ModelCheckpoint: there is no 'val_loss' in the logs; there are loss") as told:
        assert saved(checkpoint, [1.0, 2.0], key="loss") == [0, 1]
    assert len(told) == 1


def test_saving_every_so_many_batches_counts_on_from_epoch_to_epoch(tmp_path):
    checkpoint = ModelCheckpoint(tmp_path / "{epoch}-{batch}-{loss:.0e}.keras", save_freq=2)
    model().fit(X, Y, batch_size=4, epochs=3, verbose=0, callbacks=[checkpoint])  # three batches an epoch
    assert [name[:3] for name in names(tmp_path)] == ["1-2", "2-1", "2-3", "3-2"]


def test_batches_are_saved_only_when_better():
    checkpoint = ModelCheckpoint("{batch}", "loss", save_best_only=True, save_freq=1)
    fake = FakeModel()
    checkpoint.set_model(fake)
    checkpoint.on_epoch_begin(0)
    for batch, loss in enumerate([3.0, 4.0, 2.0]):
        checkpoint.on_train_batch_end(batch, {"loss": loss})
    checkpoint.on_epoch_end(0, {"loss": 1.0})
    assert fake.saved == ["1", "3"]


def test_checkpoint_says_what_it_does_if_verbose(capsys):
    saved(ModelCheckpoint("m{epoch}", save_best_only=True, verbose=1), [2.0, 3.0, 1.5])
    assert capsys.readouterr().out == (
        "Epoch 1: val_loss went from none to 2, saving to m1\n"
        "Epoch 2: val_loss is 3, not better than 2\n"
        "Epoch 3: val_loss went from 2 to 1.5, saving to m3\n"
    )
    saved(ModelCheckpoint("m", verbose=1, save_weights_only=True), [2.0])
    assert capsys.readouterr().out == "Epoch 1: saving to m\n"


def test_a_name_that_asks_for_a_missing_figure_is_told_what_there_is(tmp_path):
    with pytest.raises(KeyError, match="asks for 'val_loss'; there are epoch, loss, mae"):
        model().fit(X, Y, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "{val_loss}.keras")])


@pytest.mark.parametrize("save_freq", ["batch", 0, -1, 2.5, None])
def test_a_save_freq_that_is_none_is_refused(save_freq):
    with pytest.raises(ValueError, match='save_freq must be "epoch" or a positive integer, got'):
        ModelCheckpoint("m", save_freq=save_freq)


def test_a_failing_save_ends_fit(tmp_path):
    with pytest.raises(IsADirectoryError):
        model().fit(X, Y, verbose=0, callbacks=[ModelCheckpoint(tmp_path)])


@pytest.mark.reference
@pytest.mark.filterwarnings("ignore")
@given(
    figures=st.lists(st.integers(0, 12).map(lambda k: k / 4), min_size=1, max_size=14),
    mode=st.sampled_from(["min", "max"]),
    initial_value_threshold=st.sampled_from([None, 1.0, 2.0]),
    save_best_only=st.booleans(),
)
def test_checkpoints_are_saved_when_keras_saves_them(figures, **arguments):
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    keras = pytest.importorskip("keras", reason="Keras is not installed")
    expected = saved(keras.callbacks.ModelCheckpoint("m.keras", **arguments), figures)
    assert saved(ModelCheckpoint("m.keras", **arguments), figures) == expected


def test_an_ending_that_cannot_be_written_is_told_before_the_training():
    with pytest.raises(ValueError, match="best.png: the ending must be"):
        ModelCheckpoint("best.png")
    with pytest.raises(ValueError, match="best.keras: the ending must be .npz"):
        ModelCheckpoint("best.keras", save_weights_only=True)
    for path in ("best", "best_{epoch}.keras", "best_{epoch}.{loss:.2f}"):
        assert ModelCheckpoint(path).filepath == path
