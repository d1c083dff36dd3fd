"""What a FeatureSpace is told of columns, written down and built back."""

import numpy as np

from scratchnet import registry
from scratchnet.layers import Rescaling
from scratchnet.models.features import Cross, Feature


def test_a_feature_there_and_back():
    feature = registry.clone(Feature("float32", Rescaling(2.0), "float"))
    assert (feature.dtype, feature.output_mode) == ("float32", "float")
    np.testing.assert_array_equal(feature.preprocessor(np.ones((1, 1))), [[2.0]])


def test_a_cross_there_and_back():
    cross = registry.clone(Cross(["a", "b"], 5, "int"))
    assert (cross.name, cross.feature_names, cross.crossing_dim, cross.output_mode) == ("a_X_b", ("a", "b"), 5, "int")
