"""Vocabularies in Keras's files: those that Keras has written into an archive are read; what we write is read back."""

import json
import zipfile

import numpy as np
import pytest

from scratchnet.layers import Input, StringLookup, TextVectorization
from scratchnet.models import Model, load_model


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
