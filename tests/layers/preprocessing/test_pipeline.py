"""Pipeline: the same as its layers one after the other, forward and back."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer, check_parts
from scratchnet.layers import Dense, Input, Pipeline, RandomFlip, RandomTranslation, Rescaling, StringLookup
from scratchnet.models import Sequential

X = np.random.default_rng(0).random((4, 3, 3, 2))
F64 = {"dtype": "float64"}


def test_it_is_its_layers_one_after_the_other():
    layers = [Rescaling(2, 1, **F64), RandomFlip(seed=1, **F64), Dense(3, **F64)]
    pipeline = Pipeline(layers, **F64)
    y = pipeline(X, training=False)
    x = X
    for layer in layers:
        x = layer(x, training=False)
    np.testing.assert_array_equal(y, x)
    assert pipeline.compute_output_shape(X.shape) == y.shape
    assert pipeline.weights[0].path == f"{pipeline.name}/layers.2/kernel"


def test_called_by_hand_it_is_training_but_not_in_predict():
    pipeline = Pipeline([RandomTranslation(0.4, 0.4, seed=2)])
    assert not np.array_equal(pipeline(X), pipeline(X, training=False))
    model = Sequential([Input(X.shape[1:]), pipeline])
    assert not np.array_equal(model(X), X)
    np.testing.assert_array_equal(model.predict(X, verbose=0), np.float32(X))


@pytest.mark.parametrize("training", [False, True])
def test_gradients(training):
    pipeline = Pipeline([Dense(2, **F64), RandomTranslation(0.3, 0.3, seed=2, **F64), Dense(3, "tanh", **F64)], **F64)
    for report in (check_layer(pipeline, X, training=training), check_parts(pipeline, X, training=training)):
        assert report.passed, report


def test_configuration_and_strings():
    pipeline = Pipeline([StringLookup(vocabulary=["a"]), Rescaling(3)])
    np.testing.assert_array_equal(pipeline(np.array(["a", "b"])), [3, 0])
    copy = Pipeline.from_config(pipeline.get_config())
    np.testing.assert_array_equal(copy(np.array(["a", "b"])), [3, 0])
    with pytest.raises(TypeError, match="expected layers"):
        Pipeline(["flip"])


@pytest.mark.parametrize("config", [{"name": "a"}, {"layers": None}, {"layers": "ab"}])
def test_a_config_without_layers_is_told(config):
    with pytest.raises(ValueError, match="Pipeline: a config has a list of layers, got"):
        Pipeline.from_config(config)
