"""A FeatureSpace in `.keras` files: Keras reads ours, we read Keras's, and both encode alike."""

import numpy as np
import pytest

from scratchnet import models, utils

pytestmark = [pytest.mark.reference, pytest.mark.filterwarnings("ignore")]

RAW = {
    "x": [0.0, 0.1, 0.2, 0.7],
    "d": [1.0, 2.0, 5.0, 9.0],
    "s": ["zero", "one", "two", "one"],
    "i": [0, 1, 2, 2],
    "h": ["a", "b", "c", "d"],
}


def adapted(feature_space):
    space = feature_space(
        {
            "x": "float_normalized",
            "d": feature_space.float_discretized(num_bins=3),
            "s": "string_categorical",
            "i": feature_space.integer_categorical(max_tokens=3),
            "h": "string_hashed",
        },
        crosses=[("s", "i")],
        hashing_dim=5,
    )
    space.adapt(RAW)
    return space


def test_both_read_both(keras, tmp_path):
    theirs, ours = adapted(keras.utils.FeatureSpace), adapted(utils.FeatureSpace)
    expected = theirs(RAW).numpy()
    np.testing.assert_allclose(ours(RAW), expected, rtol=1e-6)
    theirs.save(tmp_path / "theirs.keras")
    ours.save(tmp_path / "ours.keras")
    np.testing.assert_allclose(models.load_model(tmp_path / "theirs.keras")(RAW), expected, rtol=1e-6)
    np.testing.assert_allclose(keras.models.load_model(tmp_path / "ours.keras")(RAW).numpy(), expected, rtol=1e-6)
