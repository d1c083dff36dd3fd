"""Comparisons with Keras on TensorFlow: marked `reference`, skipped with a reason where TensorFlow is missing."""

import os
import warnings

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")


@pytest.fixture(scope="session")
def keras():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("tensorflow", reason="TensorFlow is not installed: pip install -e '.[reference]'")
        module = pytest.importorskip("keras", reason="Keras is not installed: pip install -e '.[reference]'")
        if module.backend.backend() != "tensorflow":
            pytest.skip("Keras runs on another backend than TensorFlow")
    return module


@pytest.fixture
def tf(keras):
    import tensorflow

    return tensorflow
