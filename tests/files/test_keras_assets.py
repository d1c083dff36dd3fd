"""Vocabularies in Keras's files: those that Keras has written into an archive are read; what we write is read back.

So is what a class of one's own keeps beside its weights, or in their place.
"""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from scratchnet import registry
from scratchnet.layers import Dense, Input, StringLookup, TextVectorization
from scratchnet.models import Model, Sequential, load_model


def archive(tmp_path, model, vocabularies):
    """The model as Keras saves it: the vocabularies not in the configuration, but beside it."""
    model.save(tmp_path / "ours.keras")
    with zipfile.ZipFile(tmp_path / "ours.keras") as ours, zipfile.ZipFile(tmp_path / "keras.keras", "w") as keras:
        config = json.loads(ours.read("config.json"))
        for layer in config["config"]["layers"]:
            if "vocabulary" in layer["config"]:
                size = model.get_layer(layer["name"]).vocabulary_size()
                layer["config"].update(vocabulary=None, idf_weights=None, vocabulary_size=size)
        for name in ours.namelist():
            keras.writestr(name, json.dumps(config) if name == "config.json" else ours.read(name))
        for path, text in vocabularies.items():
            keras.writestr(f"assets/layers/{path}/vocabulary.txt", text)
    return tmp_path / "keras.keras"


@pytest.mark.parametrize("mode", ["int", "multi_hot", "tf_idf"])
def test_vocabularies_of_keras(tmp_path, mode):
    text, word = TextVectorization(output_mode=mode), StringLookup(output_mode="multi_hot")
    text.adapt(["a b b", "c a"])
    word.adapt(["x", "y"])
    x = Input((1,), dtype="string")
    model = Model(x, [text(x), word(x)])
    special = ["", "[UNK]"] if mode == "int" else ["[UNK]"]
    path = archive(
        tmp_path,
        model,
        {"text_vectorization": "\n".join([*special, "b", "a", "c"]), "string_lookup": "[UNK]\ny\nx"},
    )
    data = np.array([["b q x"], ["y"]])
    for other in (load_model(path), load_model(tmp_path / "ours.keras")):
        for found, expected in zip(other.predict(data, verbose=0), model.predict(data, verbose=0)):
            np.testing.assert_allclose(found, expected, rtol=1e-6)


@registry.register_keras_serializable(package="assets")
class Noted(Dense):
    """Keeps its weights in its own way, and a text beside them."""

    def __init__(self, units, text="", **kwargs):
        super().__init__(units, **kwargs)
        self.text = text

    def save_own_variables(self, store):
        super().save_own_variables(store)
        store["twice"] = 2 * self.kernel.numpy()

    def load_own_variables(self, store):
        self.kernel.assign(store["twice"] / 2)
        self.bias.assign(store["1"])

    def save_assets(self, inner_path):
        (Path(inner_path) / "below").mkdir()
        (Path(inner_path) / "below" / "text.txt").write_text(self.text)

    def load_assets(self, inner_path):
        self.text = (Path(inner_path) / "below" / "text.txt").read_text() + " again"

    def get_config(self):
        config = super().get_config()
        config.pop("text", None)
        return config


def noted():
    model = Sequential([Input((2,)), Noted(3, "a note", name="noted"), Dense(1)])
    model.set_weights([np.arange(w.size, dtype="float32").reshape(w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize(("ending", "weights"), [("keras", "weights.h5"), ("npz", "npz")])
def test_a_class_of_ones_own_says_what_is_kept(tmp_path, ending, weights, monkeypatch):
    asked = []
    load = Noted.load_own_variables
    monkeypatch.setattr(
        Noted, "load_own_variables", lambda self, store: (asked.append(sorted(store)), load(self, store))
    )
    model, x = noted(), np.ones((2, 2), "float32")
    model.save(tmp_path / f"noted.{ending}")
    other = load_model(tmp_path / f"noted.{ending}")
    assert other.get_layer("noted").text == "a note again" and asked == [["0", "1", "twice"]]
    np.testing.assert_array_equal(other(x), model(x))

    model.save_weights(tmp_path / f"noted.{weights}")
    other = noted()
    other.set_weights([0 * w for w in other.get_weights()])
    other.load_weights(tmp_path / f"noted.{weights}")
    np.testing.assert_array_equal(other(x), model(x))
    assert len(asked) == 2


def test_assets_lie_in_a_folder_for_each_layer(tmp_path):
    noted().save(tmp_path / "noted.keras")
    with zipfile.ZipFile(tmp_path / "noted.keras") as file:
        assert "assets/layers/noted/below/text.txt" in file.namelist()


def test_the_numbered_way_takes_as_many_as_there_are():
    layer, other, store = Dense(3), Dense(3), {}
    layer.build((None, 2)), other.build((None, 2))
    layer.save_own_variables(store)
    other.load_own_variables(store)
    np.testing.assert_array_equal(other.get_weights()[0], layer.get_weights()[0])
    with pytest.raises(ValueError, match=r"has 2 weights \(kernel, bias\), the file 1 \(0\)"):
        other.load_own_variables({"0": store["0"]})


def test_no_member_of_an_archive_leaves_its_folder(tmp_path):
    noted().save(tmp_path / "noted.keras")
    with zipfile.ZipFile(tmp_path / "noted.keras", "a") as file:
        file.writestr("assets/layers/noted/../../../out.txt", "out")
    with pytest.raises(ValueError, match="leaves the folder of its layer"):
        load_model(tmp_path / "noted.keras")
