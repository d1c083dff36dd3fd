"""`scratchnet.saving` and the settings of `scratchnet.config`, under Keras's names."""

import subprocess
import sys

import numpy as np
import pytest

import scratchnet
from scratchnet import config, saving
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential


def test_objects_there_and_back():
    layer = saving.deserialize_keras_object(saving.serialize_keras_object(Dense(3, name="d")))
    assert isinstance(layer, Dense) and layer.units == 3
    assert saving.custom_object_scope is saving.CustomObjectScope


def test_weights_as_functions(tmp_path):
    model = Sequential([Input((2,)), Dense(3)])
    saving.save_weights(model, tmp_path / "w.npz")
    before = model.get_weights()
    model.layers[0].params["kernel"][...] = 0
    saving.load_weights(model, tmp_path / "w.npz")
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before))


def test_settings_of_keras():
    assert config.image_data_format() == "channels_last" and config.backend() == "numpy"
    with pytest.raises(ValueError, match="channels_last"):
        config.set_image_data_format("channels_middle")
    config.set_epsilon(1e-5)
    assert config.epsilon() == 1e-5
    config.set_epsilon(1e-7)
    with pytest.raises(ValueError, match="epsilon"):
        config.set_epsilon(0)
    assert config.dtype_policy() == "float32"
    with pytest.raises(ValueError, match="not supported"):
        config.set_dtype_policy("mixed_float16")
    config.disable_interactive_logging()
    assert not config.is_interactive_logging_enabled()
    config.enable_interactive_logging()
    config.disable_traceback_filtering()
    assert not config.is_traceback_filtering_enabled()


def test_data_may_be_integers_booleans_or_text():
    assert config.check_dtype("int32") == "int32" and config.check_dtype(bool) == "bool"
    assert config.check_dtype("string") == "string" and config.check_dtype(np.float32) == "float32"
    with pytest.raises(ValueError, match="float16"):
        config.check_dtype("float16")


def test_the_package_answers_to_keras_s_names():
    assert scratchnet.version() == scratchnet.__version__
    for name in ("saving", "random", "ops", "regularizers", "constraints", "Initializer", "Regularizer"):
        assert getattr(scratchnet, name) is not None


def test_a_model_is_loaded_by_a_program_that_imports_nothing_else(tmp_path):
    Sequential([Input((2,)), Dense(3)]).save(tmp_path / "model.npz")
    program = (
        f"from scratchnet.saving import load_model; print(load_model({str(tmp_path / 'model.npz')!r}).count_params())"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "9"
