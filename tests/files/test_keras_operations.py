"""Operations between layers in Keras's files."""

import json
import zipfile

import h5py
import numpy as np
import pytest

import scratchnet
from scratchnet import activations, ops
from scratchnet.layers import Dense, Input
from scratchnet.models import Model, load_model


def operations_of(path):
    with zipfile.ZipFile(path) as archive:
        written = json.loads(archive.read("config.json"))["config"]["layers"]
    return [entry for entry in written if entry["module"].startswith("keras.src.ops")]


def test_operations_are_written_in_keras_s_words(tmp_path):
    x = inputs = Input((6, 4))
    y = ops.relu(ops.clip(ops.rsqrt(x * 2), 0.1, 0.9))
    y = ops.einsum("btc,bsc->bts", y, x)[..., 1:3, 0]
    y = ops.pad(y, [(0, 0), (1, 0)], constant_values=0.5)
    model = Model(inputs, [y, ops.cast(ops.sum(x, axis=(1, 2)) > 0, "int32"), x[:, 0], ops.norm(x, axis=-1)])
    model.save(tmp_path / "m.keras")
    found = {entry["class_name"]: entry for entry in reversed(operations_of(tmp_path / "m.keras"))}
    assert found["Rsqrt"]["module"] == "keras.src.ops.math" and found["Relu"]["module"] == "keras.src.ops.nn"
    assert {**found["Clip"]["config"], "name": None} == {"name": None, "x_min": 0.1, "x_max": 0.9}
    assert found["Sum"]["config"]["axis"] == [1, 2] and found["Cast"]["config"]["dtype"] == "int32"
    assert len(found["Einsum"]["inbound_nodes"][0]["args"]) == 2
    assert found["Pad"]["inbound_nodes"][0]["args"][1] == 0.5
    again = load_model(tmp_path / "m.keras")
    x = np.random.default_rng(0).uniform(1, 2, (3, 6, 4)).astype("float32")
    for one, two in zip(model.predict(x, verbose=0), again.predict(x, verbose=0), strict=True):
        np.testing.assert_array_equal(one, two)


def test_operations_without_a_module_are_known_by_what_they_lack(tmp_path):
    inputs = Input((4,))
    model = Model(inputs, Dense(3)(-inputs * 2) + 1)
    path = tmp_path / "m.h5"
    model.save(path)
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        for entry in config["config"]["layers"]:
            entry.pop("module")
        file.attrs["model_config"] = json.dumps(config)
    x = np.ones((2, 4), "float32")
    np.testing.assert_array_equal(load_model(path).predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize(
    "make, problem",
    [
        (lambda x: activations.relu(x, negative_slope=0.1), "'relu' with negative_slope"),
        (lambda x: ops.clip(x, x, 3.0), "'clip' between tensors"),
        (lambda x: ops.reshape(x, (ops.shape(x)[0] * 2, -1)), "of sizes that are not fixed"),
        (lambda x: ops.searchsorted(np.arange(3.0), x), "'searchsorted'"),
        (lambda x: scratchnet.random.dropout(x, 0.5, seed=1), "dropout|uniform|random"),
    ],
)
def test_an_operation_that_keras_has_not_is_not_written(tmp_path, make, problem):
    inputs = Input((4,))
    with pytest.raises(ValueError, match=f"Keras has no operation .*{problem}"):
        Model(inputs, make(inputs)).save(tmp_path / "m.keras")
    assert not (tmp_path / "m.keras").exists()


def test_an_operation_with_an_argument_that_is_not_known_is_refused(tmp_path):
    inputs = Input((4,))
    Model(inputs, ops.sum(inputs, axis=1)).save(tmp_path / "m.keras")
    damaged = tmp_path / "n.keras"
    with zipfile.ZipFile(tmp_path / "m.keras") as old, zipfile.ZipFile(damaged, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'"axis": 1', b'"axis": 1, "where": 3'))
    with pytest.raises(ValueError, match=r"n\.keras .*'sum' knows no where"):
        load_model(damaged)
