"""Saving and loading: what comes back, and what damaged or foreign files get."""

import json
import os
import zipfile

import numpy as np
import pytest

from scratchnet import ops
from scratchnet.activations import Activation
from scratchnet.layers import LSTM, Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D, RepeatVector, TimeDistributed
from scratchnet.losses import Huber
from scratchnet.metrics import MeanAbsoluteError
from scratchnet.models import Model, Sequential, clone_model, load_model
from scratchnet.optimizers import Adam
from scratchnet.optimizers.schedules import ExponentialDecay
from tests.files.fuzzing import check_reader, mutate_zip


def trained(optimizer="adam"):
    model = Sequential(
        [Input((6, 6, 1)), Conv2D(2, 3, activation="relu"), MaxPooling2D(), Flatten(), Dropout(0.1), Dense(3)]
    )
    model.compile(optimizer, loss=Huber(0.5), metrics=["mae", MeanAbsoluteError(name="distance")])
    model.fit(images(), np.ones((12, 3)), epochs=2, verbose=0)
    return model


def images():
    return np.random.default_rng(0).normal(size=(12, 6, 6, 1)).astype("float32")


def test_a_saved_model_comes_back_as_it_was_and_goes_on_training(tmp_path):
    model, path = trained(), tmp_path / "model.keras"
    model.save(path)
    loaded = load_model(path)
    np.testing.assert_array_equal(loaded.predict(images(), verbose=0), model.predict(images(), verbose=0))
    assert loaded.optimizer.iterations == model.optimizer.iterations == 2
    for key, slot in model.optimizer.state.items():
        np.testing.assert_array_equal(loaded.optimizer.state[key], slot)
    assert loaded.evaluate(images(), np.ones((12, 3)), verbose=0) == model.evaluate(
        images(), np.ones((12, 3)), verbose=0
    )
    loaded.fit(images(), np.ones((12, 3)), verbose=0)


@pytest.mark.parametrize("suffix", ["npz", "keras"])
@pytest.mark.parametrize("eagerly", [True, False])
def test_whether_fit_goes_layer_by_layer_is_saved_with_the_model(tmp_path, suffix, eagerly):
    path, model = tmp_path / f"m.{suffix}", Sequential([Input((3,)), Dense(2)])
    model.compile("adam", "mse", run_eagerly=eagerly)
    model.save(path)
    assert load_model(path).run_eagerly is eagerly


def test_a_schedule_is_saved_with_the_optimizer(tmp_path):
    model = trained(Adam(ExponentialDecay(0.01, 10, 0.5)))
    model.save(tmp_path / "m.npz")
    assert load_model(tmp_path / "m.npz").optimizer.learning_rate == pytest.approx(model.optimizer.learning_rate)


class Halving(ExponentialDecay):
    """A schedule of somebody's own."""


def test_a_schedule_of_ones_own_needs_custom_objects(tmp_path):
    model, path = trained(Adam(Halving(0.01, 10, 0.5))), tmp_path / "m.npz"
    model.save(path)
    with pytest.raises(ValueError, match="Halving"):
        load_model(path)
    assert load_model(path, {"Halving": Halving}).optimizer.learning_rate == pytest.approx(
        model.optimizer.learning_rate
    )


def test_a_graph_with_shared_layers_and_nested_models_comes_back(tmp_path):
    x = Input((4, 3))
    encoder = Model(x, LSTM(2)(x), name="encoder")
    a, b = Input((4, 3)), Input((4, 3))
    decoded = TimeDistributed(Dense(3))(LSTM(2, return_sequences=True)(RepeatVector(4)(encoder(a))))
    model = Model({"a": a, "b": b}, [decoded, encoder(b)])
    path = tmp_path / "graph.npz"
    model.save(path)
    loaded = load_model(path)
    data = {key: np.random.default_rng(1).normal(size=(2, 4, 3)).astype("float32") for key in "ab"}
    for one, two in zip(model.predict(data, verbose=0), loaded.predict(data, verbose=0)):
        np.testing.assert_array_equal(one, two)
    assert loaded.count_params() == model.count_params()


def test_the_file_holds_json_and_arrays_under_the_names_of_layers_and_weights(tmp_path):
    model, path = trained(), tmp_path / "m.npz"
    model.save(path)
    with np.load(path) as file:
        name = next(layer.name for layer in model.layers if isinstance(layer, Conv2D))
        np.testing.assert_array_equal(file[f"weights/{name}/kernel"], model.get_layer(name).params["kernel"])
    with zipfile.ZipFile(path) as archive:
        assert b'"class_name": "Sequential"' in archive.read("architecture.json")


def test_weights_go_into_another_model_of_the_same_architecture(tmp_path):
    model, path = trained(), tmp_path / "w.weights.h5"
    model.save_weights(path)
    other = clone_model(model)
    other.load_weights(path)
    for a, b in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(a, b)
    third = Sequential([Input((6, 6, 1)), Conv2D(2, 3), MaxPooling2D(), Flatten(), Dense(3)])
    third.load_weights(path)  # the automatic names are others; order, names of weights and shapes agree
    np.testing.assert_array_equal(third.get_weights()[2], model.get_weights()[2])


def damage(path, kind):
    content = path.read_bytes()
    if kind == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif kind == "flipped":
        at = content.index(b"NUMPY") + 10  # in the first array: of texts, only those that are needed are read
        path.write_bytes(content[:at] + bytes(b ^ 0xFF for b in content[at : at + 200]) + content[at + 200 :])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("not a model")
    elif kind == "foreign":
        np.savez(path.with_suffix(".tmp.npz"), a=np.ones(3))
        os.replace(path.with_suffix(".tmp.npz"), path)


@pytest.mark.parametrize("kind", ["cut", "flipped", "empty", "text", "foreign"])
def test_a_damaged_or_foreign_file_is_named_and_changes_nothing(tmp_path, kind):
    model, path = trained(), tmp_path / "m.npz"
    model.save(path)
    damage(path, kind)
    before = model.get_weights()
    for load in (load_model, model.load_weights):
        with pytest.raises(ValueError, match=r"m\.npz (is damaged|is not a file)"):
            load(path)
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_a_mismatched_file_says_what_differs_and_changes_nothing(tmp_path):
    model, path = trained(), tmp_path / "w.npz"
    model.save_weights(path)
    for other in (
        Sequential([Input((4,)), Dense(3)]),
        Sequential([Input((6, 6, 1)), Conv2D(2, 3), Flatten(), Dense(4)]),
    ):
        before = other.get_weights()
        with pytest.raises(ValueError, match="another architecture"):
            other.load_weights(path)
        for a, b in zip(before, other.get_weights()):
            np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="holds a weights, expected a model"):
        load_model(path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_model(tmp_path / "nowhere.npz")


def test_a_crash_while_saving_leaves_the_old_file_whole(tmp_path, monkeypatch):
    model, path = trained(), tmp_path / "m.npz"
    model.save(path)
    old = path.read_bytes()
    monkeypatch.setattr(np.lib.format, "write_array", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model.save(path)
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["m.npz"]


def test_what_is_in_the_way_is_told(tmp_path):
    model = trained()
    model.save(tmp_path / "m.npz")
    with pytest.raises(FileExistsError):
        model.save(tmp_path / "m.npz", overwrite=False)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        model.save(tmp_path / "nowhere" / "m.npz")
    with pytest.raises(ValueError, match="before it is built"):
        Sequential([Dense(2)]).save(tmp_path / "x.npz")


class Doubling(Dense):
    """A layer of somebody's own."""


def test_a_layer_of_ones_own_needs_custom_objects(tmp_path):
    model, path = Sequential([Input((3, 2)), Doubling(2), TimeDistributed(Doubling(2))]), tmp_path / "m.npz"
    model.save(path)
    with pytest.raises(ValueError, match="custom_objects"):
        load_model(path)
    loaded = load_model(path, custom_objects={"Doubling": Doubling})
    assert isinstance(loaded.layers[0], Doubling) and isinstance(loaded.layers[1].layer, Doubling)


def test_an_activation_with_parameters_comes_back(tmp_path):
    from scratchnet import activations

    model = Sequential([Input((2,)), Dense(2, activation=activations.leaky_relu.with_parameters(negative_slope=0.5))])
    model.save(tmp_path / "m.npz")
    loaded = load_model(tmp_path / "m.npz")
    x = np.random.default_rng(0).normal(size=(5, 2)).astype("float32")
    np.testing.assert_array_equal(model.predict(x, verbose=0), loaded.predict(x, verbose=0))
    assert isinstance(loaded.layers[0].activation, Activation)


@pytest.mark.parametrize("mutate", [None, mutate_zip])
def test_every_damage_is_a_value_error_that_names_the_file(tmp_path, mutate):
    model, path = trained(), tmp_path / "m.npz"
    model.save(path)
    check_reader(load_model, path.read_bytes(), path, mutate)


def test_an_architecture_of_more_layers_than_anybody_builds_is_refused_at_once(tmp_path):
    model, path = trained(), tmp_path / "m.npz"
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    architecture = json.loads(content["architecture.json"])
    architecture["config"]["layers"] = [{"class_name": "Flatten", "config": {}}] * 100_000
    content["architecture.json"] = json.dumps(architecture).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    with pytest.raises(ValueError, match=r"m\.npz holds an architecture .*100000 layers"):
        load_model(path)


def test_parameters_that_the_file_has_no_numbers_for_are_never_made(tmp_path):
    model, path = Sequential([Input((3,)), Dense(2)]), tmp_path / "m.npz"
    model.save(path)
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["architecture.json"] = members["architecture.json"].replace(b'"units": 2', b'"units": 2000000000')
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    assert path.read_bytes() != content
    with pytest.raises(ValueError, match=r"m\.npz .*\(3, 2000000000\) is more than the file has numbers for"):
        load_model(path)


@pytest.mark.parametrize("ending", ["npz", "keras", "h5"])
def test_a_loss_that_cannot_be_written_does_not_keep_a_model_from_being_saved(tmp_path, ending):
    model, x = Sequential([Input((3,)), Dense(1)]), np.ones((2, 3), "float32")
    model.compile("adam", lambda y_true, y_pred: ops.mean(ops.square(y_true - y_pred)))
    model.fit(x, np.ones((2, 1)), verbose=0)
    with pytest.warns(UserWarning, match="is saved without what compile was told: .*lambda.* cannot be saved"):
        model.save(tmp_path / f"m.{ending}")
    loaded = load_model(tmp_path / f"m.{ending}")
    assert not loaded.compiled
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize("ending", ["npz", "keras", "h5"])
def test_a_model_that_is_only_evaluated_comes_back_without_an_optimizer(tmp_path, ending):
    model, x, y = Sequential([Input((3,)), Dense(1)]), np.ones((2, 3), "float32"), np.ones((2, 1))
    model.compile(None, "mse")
    model.save(tmp_path / f"m.{ending}")
    loaded = load_model(tmp_path / f"m.{ending}")
    assert loaded.compiled and loaded.optimizer is None
    assert loaded.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
