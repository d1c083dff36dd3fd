"""What Keras 2 wrote in other words, or meant in another way."""

import json

import h5py
import numpy as np
import pytest

from scratchnet import losses
from scratchnet.layers import LSTM, Activation, Dense, Input
from scratchnet.models import Sequential, load_model


def as_by_keras_2(path, change):
    """Write the configuration of an `.h5` file anew, as one of Keras 2."""
    with h5py.File(path, "a") as file:
        for name in ("model_config", "training_config"):
            if name in file.attrs:
                file.attrs[name] = json.dumps(change(json.loads(file.attrs[name])))
        file.attrs["keras_version"] = "2.11.0"


def test_hard_sigmoid_of_keras_2_has_another_slope(tmp_path):
    model = Sequential([Input((5, 3)), LSTM(2, recurrent_activation="hard_sigmoid"), Activation("hard_sigmoid")])
    x = np.random.default_rng(0).normal(size=(4, 5, 3)).astype("float32") * 3
    model.save(tmp_path / "m.h5")
    as_by_keras_2(tmp_path / "m.h5", lambda config: config)
    loaded = load_model(tmp_path / "m.h5")
    h = c = np.zeros((4, 2))
    W, R, b = (w.astype(float) for w in model.get_weights())
    for t in range(5):
        z = np.split(x[:, t] @ W + h @ R + b, 4, axis=1)
        i, f, o = (np.clip(0.2 * gate + 0.5, 0, 1) for gate in (z[0], z[1], z[3]))
        c = f * c + i * np.tanh(z[2])
        h = o * np.tanh(c)
    np.testing.assert_allclose(loaded.predict(x, verbose=0), np.clip(0.2 * h + 0.5, 0, 1), atol=1e-6)
    loaded.save(tmp_path / "n.npz")
    np.testing.assert_array_equal(load_model(tmp_path / "n.npz")(x), loaded(x))


def test_settings_that_keras_2_writes_of_losses(tmp_path):
    model = Sequential([Input((3,)), Dense(1, activation="sigmoid")])
    model.compile("adam", losses.BinaryCrossentropy(label_smoothing=0.1))
    model.save(tmp_path / "m.h5")

    def change(config):
        if "loss" in config:
            config["loss"]["config"].update(fn="binary_crossentropy", reduction="auto")
        return config

    as_by_keras_2(tmp_path / "m.h5", change)
    assert load_model(tmp_path / "m.h5").loss.label_smoothing == 0.1


def test_the_code_of_a_lambda_of_keras_2_is_refused(tmp_path):
    model = Sequential([Input((3,)), Activation("tanh")])
    model.save(tmp_path / "m.h5")

    def change(config):
        config["config"]["layers"][1] = {
            "class_name": "Lambda",
            "config": {"name": "l", "function": ["4wEAAA==", None, None], "function_type": "lambda"},
        }
        return config

    as_by_keras_2(tmp_path / "m.h5", change)
    with pytest.raises(ValueError, match="Lambda 'l' has the code of a lambda, which would have to be run"):
        load_model(tmp_path / "m.h5")


def test_a_sequential_model_was_a_list_of_its_layers(tmp_path):
    model = Sequential([Input((3,)), Dense(2, activation="tanh")])
    model.save(tmp_path / "m.h5")
    as_by_keras_2(tmp_path / "m.h5", lambda config: {**config, "config": config["config"]["layers"]})
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(load_model(tmp_path / "m.h5").predict(x, verbose=0), model.predict(x, verbose=0))
