"""Keras's files: what Keras 2 and 3 wrote predicts here what it predicted there, and what we write comes back."""

import json
import os
import sys
import warnings
import zipfile

import h5py
import numpy as np
import pytest

from scratchnet import layers
from scratchnet.files.hdf5_writing import hdf5_bytes
from scratchnet.layers import (
    LSTM,
    Add,
    BatchNormalization,
    ConvLSTM2D,
    Dense,
    Input,
    RepeatVector,
    TimeDistributed,
)
from scratchnet.models import Model, Sequential, load_model
from scratchnet.optimizers import SGD, Adagrad, Adam, Adamax, Lion, Nadam, RMSprop
from scratchnet.optimizers.schedules import ExponentialDecay
from tests.files.fuzzing import MUTATIONS, check_reader, mutate_bytes, mutate_zip
from tests.files.keras_samples import content, data, extract, names, outputs


def check_outputs(model, name):
    x, expected = data(name)
    for y, wanted in zip(outputs(model, x), expected, strict=True):
        np.testing.assert_allclose(y, wanted, atol=1e-6)


@pytest.mark.parametrize("name", names(".keras", ".h5"))
def test_a_model_of_keras_predicts_what_it_predicted_there(tmp_path, name):
    model = load_model(extract(name, tmp_path))
    check_outputs(model, name)
    assert model.compiled and model.optimizer.get_config()["learning_rate"] == pytest.approx(0.001)


@pytest.mark.parametrize("name", names(".weights.h5", "_w.h5"))
def test_weights_of_keras_go_into_the_model_they_belong_to(tmp_path, name):
    model = load_model(extract(name.split(".")[0].removesuffix("_w") + ".keras", tmp_path), compile=False)
    assert not model.compiled
    for weight in model.weights:
        weight.assign(np.zeros(weight.shape))
    model.load_weights(extract(name, tmp_path))
    check_outputs(model, name)


def test_weights_are_read_from_whole_models_too(tmp_path):
    for name in ("keras3_stack.keras", "keras3_stack.h5", "keras2_stack.h5"):
        model = load_model(extract(name, tmp_path))
        model.set_weights([np.zeros(w.shape) for w in model.weights])
        model.load_weights(extract(name, tmp_path))
        check_outputs(model, name)


def branched():
    x = Input((4, 3))
    encoder = Model(x, LSTM(2)(x), name="encoder")
    a, b = Input((4, 3), name="a"), Input((4, 3), name="b")
    decoded = TimeDistributed(Dense(3))(LSTM(2, return_sequences=True)(RepeatVector(4)(encoder(a))))
    tail = Sequential([Input((2,)), Dense(2, activation="tanh"), BatchNormalization()], name="tail")
    return Model({"a": a, "b": b}, [decoded, Add()([tail(encoder(b)), tail(encoder(a))])])


def some(model, seed=0):
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        value = rng.normal(size=weight.shape)
        weight.assign(np.abs(value) + 0.5 if "variance" in weight.path else value)
    return {t.name: rng.normal(size=(3, *t.shape[1:])).astype("float32") for t in model.inputs}


@pytest.mark.parametrize("ending", ["npz", "keras", "h5"])
def test_what_is_saved_comes_back_in_every_format(tmp_path, ending):
    model, path = branched(), tmp_path / f"m.{ending}"
    data = some(model)
    model.save(path)
    loaded = load_model(path)
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in model.layers]
    for one, two in zip(outputs(model, data), outputs(loaded, data), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("ending", ["npz", "weights.h5"])
def test_weights_come_back_in_every_format(tmp_path, ending):
    model, path = branched(), tmp_path / f"m.{ending}"
    some(model)
    model.save_weights(path)
    other = branched()
    other.load_weights(path)
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


OPTIMIZERS = [
    lambda: Adam(0.01),
    lambda: Adam(0.01, amsgrad=True),
    lambda: SGD(0.05, momentum=0.9, nesterov=True),
    lambda: SGD(0.05),
    lambda: RMSprop(0.01, momentum=0.5, centered=True),
    lambda: Adagrad(0.1),
    lambda: Adamax(0.01),
    lambda: Lion(0.01),
    lambda: Nadam(0.01),
    lambda: Nadam(ExponentialDecay(0.01, 3, 0.5)),
]


@pytest.mark.parametrize("ending", ["npz", "keras", "h5"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_goes_on_where_it_stood(tmp_path, ending, optimizer):
    model, path = Sequential([Input((3,)), Dense(4, activation="tanh"), Dense(1)]), tmp_path / f"m.{ending}"
    x, y = np.random.default_rng(0).normal(size=(2, 8, 3)).astype("float32")
    model.compile(optimizer(), "mse", metrics=["mae"])
    model.fit(x, y[:, :1], epochs=3, verbose=0)
    model.save(path)
    loaded = load_model(path)
    one, two = (m.fit(x, y[:, :1], epochs=3, shuffle=False, verbose=0).history for m in (model, loaded))
    np.testing.assert_allclose(one["loss"], two["loss"], rtol=1e-6)
    np.testing.assert_allclose(one["mae"], two["mae"], rtol=1e-6)


def test_the_slots_of_older_files_stand_one_behind_the_other(tmp_path):
    model, path = Sequential([Input((3,)), Dense(3, use_bias=False), Dense(3, use_bias=False)]), tmp_path / "m.h5"
    x, y = np.random.default_rng(0).normal(size=(2, 8, 3)).astype("float32")
    model.compile(Adam(0.01), "mse")
    model.fit(x, y, epochs=3, verbose=0)
    model.save(path)
    with h5py.File(path, "a") as file:
        group = file["optimizer_weights"]
        iterations, _, m0, v0, m1, v1 = [group[name][()] for name in group.attrs["weight_names"]]
        names = ["Adam/iter:0", "m0", "m1", "v0", "v1"]
        for name, array in zip(names, [iterations, m0, m1, v0, v1]):
            group[name] = array
        group.attrs["weight_names"] = names
    loaded = load_model(path)
    one, two = (m.fit(x, y, epochs=3, shuffle=False, verbose=0).history["loss"] for m in (model, loaded))
    np.testing.assert_allclose(one, two, rtol=1e-6)


def test_older_files_of_nadam_had_other_momentums(tmp_path):
    model, path = Sequential([Input((3,)), Dense(3, use_bias=False)]), tmp_path / "m.h5"
    x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    model.compile(Nadam(0.01), "mse")
    model.fit(x, x, verbose=0)
    model.save(path)
    with h5py.File(path, "a") as file:
        group = file["optimizer_weights"]
        iterations, _, m, v, product = [group[name][()] for name in group.attrs["weight_names"]]
        names = ["Nadam/iter:0", "Nadam/momentum_cache:0", "m0", "v0"]
        for name, array in zip(names, [iterations, product, m, v]):
            group[name] = array
        group.attrs["weight_names"] = names
    with pytest.warns(UserWarning, match="the optimizer begins anew"):
        assert load_model(path).optimizer.steps == 0


def test_an_ending_promises_what_is_inside(tmp_path):
    model = Sequential([Input((3,)), Dense(2)])
    for name, start in {"m.npz": b"PK", "m.keras": b"PK", "m.h5": b"\x89HDF", "m.hdf5": b"\x89HDF", "m": b"PK"}.items():
        model.save(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
    for name in ("m.png", "m.pth", "m.onnx", "m.safetensors", "m.25"):
        with pytest.raises(ValueError, match=rf"{name}: the ending must be \.npz"):
            model.save(tmp_path / name)
    for name in ("m.h5", "m.keras", "m.png"):
        with pytest.raises(ValueError, match=rf"{name}: the ending must be \.npz \(our own\) or \.weights\.h5"):
            model.save_weights(tmp_path / name)


def test_a_file_is_known_by_what_is_in_it(tmp_path):
    model = Sequential([Input((3,)), Dense(2)])
    for ending in ("npz", "keras", "h5"):
        model.save(tmp_path / f"m.{ending}")
        os.replace(tmp_path / f"m.{ending}", tmp_path / "best.keras")  # version 0.1.0 wrote our own format there
        np.testing.assert_array_equal(load_model(tmp_path / "best.keras").get_weights()[0], model.get_weights()[0])


def test_without_h5py_reading_works_and_writing_says_what_is_missing(tmp_path, monkeypatch):
    model = Sequential([Input((3,)), Dense(2)])
    model.save(tmp_path / "m.keras")
    monkeypatch.setitem(sys.modules, "h5py", None)
    load_model(tmp_path / "m.keras")
    for save, name in ((model.save, "n.keras"), (model.save, "n.h5"), (model.save_weights, "n.weights.h5")):
        with pytest.raises(ImportError, match="pip install h5py"):
            save(tmp_path / name)
    assert os.listdir(tmp_path) == ["m.keras"]


def test_keras_s_arguments_of_save_and_load(tmp_path):
    model = Sequential([Input((3,)), Dense(2)])
    model.save(tmp_path / "m.keras", True, True)
    model.save(tmp_path / "m.h5", save_format="h5", include_optimizer=False)
    with pytest.raises(ValueError, match="another format than 'tf'"):
        model.save(tmp_path / "m.h5", save_format="tf")
    with pytest.raises(ValueError, match="zipped=False"):
        model.save(tmp_path / "m.keras", zipped=False)
    with pytest.raises(FileExistsError):
        model.save(tmp_path / "m.keras", overwrite=False)
    with pytest.raises(ValueError, match="max_shard_size"):
        model.save_weights(tmp_path / "m.weights.h5", max_shard_size=1e-9)
    load_model(tmp_path / "m.keras", None, True, True)


def test_weights_of_another_architecture_are_refused_with_both_lists_and_change_nothing(tmp_path):
    Sequential([Input((3,)), Dense(2), Dense(1)]).save_weights(tmp_path / "m.weights.h5")
    Sequential([Input((3,)), Dense(2), Dense(1)]).save(tmp_path / "m.h5")
    for other in (Sequential([Input((3,)), Dense(2)]), Sequential([Input((4, 3)), LSTM(2), Dense(1)])):
        before = other.get_weights()
        for name in ("m.weights.h5", "m.h5"):
            with pytest.raises(ValueError, match="another architecture"):
                other.load_weights(tmp_path / name)
        np.testing.assert_array_equal(before[0], other.get_weights()[0])


def test_other_shapes_can_be_skipped(tmp_path):
    saved = Sequential([Input((3,)), Dense(4), Dense(1)])
    for name in ("m.weights.h5", "m.npz"):
        saved.save_weights(tmp_path / name)
        other = Sequential([Input((3,)), Dense(4), Dense(2)])
        last = other.get_weights()[2:]
        with pytest.raises(ValueError, match=r"dense_\d+/kernel has shape \(4, 1\), the model's \(4, 2\)"):
            other.load_weights(tmp_path / name)
        with pytest.warns(UserWarning, match="left out were weights of other shapes"):
            other.load_weights(tmp_path / name, skip_mismatch=True)
        np.testing.assert_array_equal(other.get_weights()[0], saved.get_weights()[0])
        np.testing.assert_array_equal(other.get_weights()[2], last[0])


def test_layers_that_only_one_has_can_be_skipped(tmp_path):
    body = Sequential([Input((3,)), Dense(4)])
    body.save_weights(tmp_path / "body.weights.h5")
    whole = Sequential([Input((3,)), Dense(4), Dense(2)])
    with pytest.warns(UserWarning, match=r"left out: .* missing are dense_\d+/kernel, dense_\d+/bias"):
        whole.load_weights(tmp_path / "body.weights.h5", skip_mismatch=True)
    np.testing.assert_array_equal(whole.get_weights()[0], body.get_weights()[0])


def test_the_older_layout_can_be_matched_by_name(tmp_path):
    saved = Sequential([Input((3,)), Dense(4, name="first"), Dense(1, name="last")])
    saved.save(tmp_path / "m.h5")
    other = Sequential([Input((3,)), Dense(4, name="other"), Dense(4, name="first2"), Dense(1, name="last")])
    other.load_weights(tmp_path / "m.h5", by_name=True)
    np.testing.assert_array_equal(other.get_layer("last").kernel, saved.get_layer("last").kernel)
    for name, save in (("m.weights.h5", saved.save_weights), ("m.npz", saved.save_weights)):
        save(tmp_path / name)
        with pytest.raises(ValueError, match="by_name is for"):
            other.load_weights(tmp_path / name, by_name=True)


def test_long_lists_of_names_are_cut_into_pieces(tmp_path):
    layers = [Dense(1, name=f"{'long' * 60}_{k}") for k in range(260)]
    model = Sequential([Input((1,)), *layers])
    model.save(tmp_path / "m.h5")
    np.testing.assert_array_equal(load_model(tmp_path / "m.h5").get_weights()[518], model.get_weights()[518])


# ---- what is somebody's own ----


class Doubling(Dense):
    """A layer of somebody's own."""


def test_own_layers_are_refused_unless_they_are_handed_in(tmp_path):
    model = Sequential([Input((3,)), Doubling(2)])
    for ending in ("keras", "h5"):
        path = tmp_path / f"m.{ending}"
        model.save(path)
        with pytest.raises(ValueError, match=rf"m\.{ending} .*custom_objects={{'Doubling'"):
            load_model(path)
        assert isinstance(load_model(path, {"Doubling": Doubling}).layers[0], Doubling)


def changed(path, change):
    """The `.keras` file with its configuration changed."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    change(config)
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


@pytest.mark.parametrize(
    "function",
    [
        {"class_name": "__lambda__", "config": {"code": "4wEAAAAAAAAA", "defaults": None, "closure": None}},
        ["4wEAAAAAAAAA", None, None],
    ],
)
@pytest.mark.parametrize("safe_mode", [True, False])
def test_the_code_of_a_lambda_is_never_run(tmp_path, function, safe_mode):
    path = tmp_path / "m.keras"
    Sequential([Input((3,)), Dense(2)]).save(path)

    def change(config):
        layer = {"class_name": "Lambda", "config": {"name": "l", "function": function, "function_type": "lambda"}}
        config["config"]["layers"].append({"module": "keras.layers", "registered_name": None, **layer})

    changed(path, change)
    with pytest.raises(ValueError, match=r"m\.keras holds an architecture that cannot be built"):
        load_model(path, safe_mode=safe_mode)


@pytest.mark.parametrize("module", ["os", "builtins", "keras.src.utils", "numpy", "subprocess"])
def test_no_module_is_imported_because_a_file_names_it(tmp_path, module):
    path = tmp_path / "m.keras"
    Sequential([Input((3,)), Dense(2)]).save(path)

    def change(config):
        config["config"]["layers"].append({"module": module, "class_name": "system", "config": {"command": "true"}})

    changed(path, change)
    with pytest.raises(ValueError, match="m.keras holds an architecture that cannot be built"):
        load_model(path)


def test_settings_of_compile_that_do_not_exist_here_are_told_and_the_model_is_not_compiled(tmp_path):
    path, model = tmp_path / "m.keras", Sequential([Input((3,)), Dense(2)])
    model.compile("adam", "mse")
    model.save(path)

    def change(config):
        config["compile_config"]["loss"] = {"module": "their.losses", "class_name": "Theirs", "config": {}}

    changed(path, change)
    with pytest.warns(UserWarning, match="m.keras: the model is not compiled, .*Theirs"):
        assert not load_model(path).compiled
    assert not load_model(path, compile=False).compiled


# ---- hostile files ----


def test_parameters_that_the_file_has_no_numbers_for_are_never_made(tmp_path):
    path = tmp_path / "m.keras"
    Sequential([Input((3,)), Dense(2)]).save(path)
    changed(path, lambda config: config["config"]["layers"][1]["config"].update(units=2_000_000_000))
    with pytest.raises(ValueError, match=r"m\.keras .* more than the file has numbers for"):
        load_model(path)


def test_metrics_that_would_fill_the_memory_are_not_made(tmp_path):
    path, model = tmp_path / "m.keras", Sequential([Input((3,)), Dense(2)])
    model.compile("adam", "mse", metrics=["AUC"])
    model.save(path)
    auc = {"module": "keras.metrics", "class_name": "AUC", "config": {"num_thresholds": 10**10}}
    changed(path, lambda config: config["compile_config"].update(metrics=[auc]))
    with pytest.warns(UserWarning, match="num_thresholds is 10000000000"):
        load_model(path)


def load_quietly(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of settings of compile that a mutation has made unusable
        return load_model(path)


@pytest.mark.parametrize(
    "name, mutate",
    [
        ("keras3_shared.keras", mutate_bytes),
        ("keras3_convolutions.keras", mutate_zip),
        ("keras2_shared.keras", mutate_zip),
        ("keras2_recurrent.h5", mutate_bytes),
        ("keras3_stack.h5", mutate_bytes),
    ],
)
def test_every_damage_of_a_model_is_a_value_error_that_names_the_file(tmp_path, name, mutate):
    check_reader(load_quietly, content(name), tmp_path / name, mutate, max(MUTATIONS // 2, 20))


@pytest.mark.parametrize("name", ["keras3_convolutions.weights.h5", "keras2_stack_w.h5"])
def test_every_damage_of_weights_is_a_value_error_that_names_the_file_and_changes_nothing(tmp_path, name):
    model = load_model(extract(name.split(".")[0].removesuffix("_w") + ".keras", tmp_path))

    def load(path):
        before = model.get_weights()
        try:
            model.load_weights(path)
        except ValueError:
            for one, two in zip(before, model.get_weights(), strict=True):
                np.testing.assert_array_equal(one, two)
            raise

    check_reader(load, content(name), tmp_path / name)


def test_bombs_and_foreign_content_are_refused(tmp_path):
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * (100 << 20))
        archive.writestr("model.weights.h5", b"")
    with pytest.raises(ValueError, match=r"m\.keras is damaged"):
        load_model(path)
    for array in (np.array([[b"text"] * 2] * 3), np.zeros((3, 2), "c8")):
        arrays = {"layers/dense/vars/0": array, "layers/dense/vars/1": np.zeros(2)}
        (tmp_path / "w.weights.h5").write_bytes(hdf5_bytes(arrays, {}))
        model = Sequential([Input((3,)), Dense(2)])
        with pytest.raises(ValueError, match=r"w\.weights\.h5"):
            model.load_weights(tmp_path / "w.weights.h5")


def test_a_weights_file_is_no_model(tmp_path):
    Sequential([Input((3,)), Dense(2)]).save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(ValueError, match="holds weights alone"):
        load_model(tmp_path / "w.weights.h5")


def test_convolutions_in_time_have_their_weights_where_keras_has_them(tmp_path):
    Sequential([Input((4, 6, 6, 2)), ConvLSTM2D(2, 3)]).save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5") as file:
        assert file["layers/conv_lstm2d/cell/vars/0"].shape == (3, 3, 2, 8)


class WithAttributes(Model):
    """Keras keeps what is in attributes before "layers" by their names, all else in "layers"."""

    def __init__(self):
        super().__init__()
        self.start = layers.Dense(3)
        self.blocks = [layers.Dense(3), layers.BatchNormalization()]
        self.encoder = Sequential([layers.Dense(2), layers.Dense(4)])

    def call(self, x):
        x = self.start(x)
        for block in self.blocks:
            x = block(x)
        return self.encoder(x)


def test_layers_in_attributes_are_found_where_keras_has_them(tmp_path):
    model, again, x = WithAttributes(), WithAttributes(), np.ones((2, 3), "float32")
    for one in (model, again):
        one(x)
    path = str(tmp_path / "model.weights.h5")
    model.save_weights(path)
    with h5py.File(path, "a") as file:
        file.move("layers/dense_1", "blocks/dense")
        file.move("layers/batch_normalization", "blocks/batch_normalization")
        file.move("layers/sequential", "encoder")
    again.load_weights(path)
    for ours, theirs in zip(model.get_weights(), again.get_weights()):
        np.testing.assert_array_equal(ours, theirs)


def test_spectral_normalization_keeps_the_kernel_twice_as_keras_does(tmp_path):
    def made():
        model = Sequential([layers.Input((3,)), layers.SpectralNormalization(layers.Dense(2))])
        model.set_weights([np.random.default_rng(seed).normal(size=w.shape) for seed, w in enumerate(model.weights)])
        return model

    path = str(tmp_path / "model.weights.h5")
    model = made()
    model.save_weights(path)
    with h5py.File(path, "a") as file:
        own = file["layers/spectral_normalization/vars"]
        assert [own[name].shape for name in own] == [(3, 2), (1, 2)]

    for older in (False, True):
        if older:  # only u was kept once
            with h5py.File(path, "a") as file:
                del file["layers/spectral_normalization/vars/0"]
                file.move("layers/spectral_normalization/vars/1", "layers/spectral_normalization/vars/0")
        again = made()
        again.set_weights([w * 0 for w in again.get_weights()])
        again.load_weights(path)
        for ours, theirs in zip(model.get_weights(), again.get_weights()):
            np.testing.assert_array_equal(ours, theirs)


def test_grouped_query_attention_has_keras_s_name_in_its_files(tmp_path):
    x = layers.Input((4, 6))
    Model(x, layers.GroupQueryAttention(3, 4, 2)(x, x)).save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        config = json.loads(archive.read("config.json"))["config"]
    assert [layer["class_name"] for layer in config["layers"]] == ["InputLayer", "GroupQueryAttention"]
    assert load_model(tmp_path / "model.keras").layers[1].num_query_heads == 4
