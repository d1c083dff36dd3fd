"""Keras's weights in several files, and its folder in place of a `.keras` file. Keras reads and writes the same."""

import json

import numpy as np
import pytest

from scratchnet import Sequential
from scratchnet.layers import BatchNormalization, Dense, Input, TextVectorization
from scratchnet.models import load_model
from scratchnet.saving import save_weights

pytest.importorskip("h5py")
rng = np.random.default_rng(0)
x, y = rng.normal(size=(8, 3)).astype("float32"), rng.normal(size=(8, 1)).astype("float32")


def trained():
    model = Sequential([Input((3,)), Dense(40), BatchNormalization(), Dense(30), Dense(1)])
    model.compile("adam", "mse")
    model.fit(x, y, verbose=0)
    return model


def test_a_folder_has_what_is_in_a_keras_file(tmp_path):
    model, folder = trained(), tmp_path / "folder"
    model.save(folder, zipped=False)
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "metadata.json", "model.weights.h5"]
    loaded = load_model(folder)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    assert loaded.optimizer.steps == model.optimizer.steps == 1
    other = trained()
    other.load_weights(folder)
    np.testing.assert_array_equal(other.predict(x, verbose=0), model.predict(x, verbose=0))
    other.save(folder, zipped=False)  # over the other
    with pytest.raises(FileExistsError, match="folder exists"):
        model.save(folder, zipped=False, overwrite=False)


def test_a_folder_has_the_files_of_layers_too(tmp_path):
    words = TextVectorization(output_mode="tf_idf")
    words.adapt(["a b", "b c"])
    model = Sequential([Input((), dtype="string"), words])
    model.save(tmp_path / "words", zipped=False)
    given = np.array(["a b b", "c"])
    np.testing.assert_array_equal(load_model(tmp_path / "words").predict(given), model.predict(given))


def test_what_is_wrong_with_a_folder_is_told(tmp_path):
    with pytest.raises(ValueError, match="zipped=False writes a folder, whose name has no ending"):
        trained().save(tmp_path / "model.keras", zipped=False)
    trained().save(tmp_path / "model", zipped=False)
    (tmp_path / "model" / "model.weights.h5").write_bytes(b"nothing" * 5000)
    with pytest.raises(ValueError, match="model is damaged or not a model in Keras's folder"):
        load_model(tmp_path / "model")
    (tmp_path / "model" / "config.json").unlink()
    with pytest.raises(ValueError, match="is a folder, expected a file"):
        load_model(tmp_path / "model")


def test_weights_in_several_files_are_read_together(tmp_path):
    model, path = trained(), tmp_path / "w.weights.json"
    model.save_weights(path, max_shard_size=8000 / 2**30)
    shards = sorted(tmp_path.glob("w_*.weights.h5"))
    assert len(shards) > 2 and shards[0].name == "w_00000.weights.h5"
    places = json.loads(path.read_text())["weight_map"]
    assert places["/layers/dense/vars"] == ["w_00000.weights.h5"] and len(places["/optimizer/vars"]) > 1
    other = trained()
    other.load_weights(path)
    for a, b in zip(other.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(a, b)
    save_weights(model, tmp_path / "v.weights.h5", max_shard_size=1)
    assert (tmp_path / "v.weights.json").exists() and (tmp_path / "v_00000.weights.h5").exists()


def test_what_is_wrong_with_several_files_is_told(tmp_path):
    model, path = trained(), tmp_path / "w.weights.json"
    with pytest.raises(ValueError, match="has 480 bytes, max_shard_size is 100"):
        model.save_weights(path, max_shard_size=100 / 2**30)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match=r"with max_shard_size the ending must be \.weights\.json"):
        model.save_weights(tmp_path / "w.npz", max_shard_size=1)
    model.save_weights(path, max_shard_size=1)
    with pytest.raises(ValueError, match="holds weights alone"):
        load_model(path)
    path.write_text(json.dumps({"weight_map": {"/vars": ["../w_00000.weights.h5"]}}))
    with pytest.raises(ValueError, match="which is no file beside it"):
        model.load_weights(path)
    path.write_text("{}")
    with pytest.raises(ValueError, match="is damaged or not a file of weights by Keras"):
        model.load_weights(path)
