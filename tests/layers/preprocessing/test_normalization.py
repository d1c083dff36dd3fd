"""Normalization and Rescaling: values, adapt, gradients, files, refusals."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer, check_parts
from scratchnet.layers import Dense, Input, Normalization, Rescaling
from scratchnet.models import Sequential, load_model
from scratchnet.optimizers import SGD

X = np.random.default_rng(0).normal(3, 2, (40, 3, 4))


@pytest.mark.parametrize("axis", [-1, None, (1, 2), 1, (2, 1)])
def test_adapt_brings_data_to_mean_0_and_variance_1(axis):
    over = {-1: (0, 1), None: None, 1: (0, 2)}.get(axis if not isinstance(axis, tuple) else "both", 0)
    whole, batched = (Normalization(axis, dtype="float64") for _ in range(2))
    whole.adapt(X)
    y = whole(X)
    np.testing.assert_allclose(y.mean(over), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(over), 1)
    batched.adapt((batch, None) for batch in np.split(X, [7, 20]))
    for a, b in zip(batched.get_weights(), whole.get_weights()):
        np.testing.assert_allclose(a, b)
    mean, variance, _ = whole.get_weights()
    back = Normalization(axis, mean, variance, invert=True, dtype="float64")
    np.testing.assert_allclose(back(y), X)


def test_keras_s_values():
    """Of keras.layers.Normalization(axis=-1, mean=[3, 5], variance=4) and its inverse on [[1, 2], [3, 4]]."""
    x = np.array([[1.0, 2], [3, 4]])
    np.testing.assert_allclose(Normalization(-1, [3, 5], [4, 4])(x), [[-1, -1.5], [0, -0.5]])
    np.testing.assert_allclose(Normalization(None, 3, 4, invert=True)(x), [[5, 7], [9, 11]])
    np.testing.assert_allclose(Normalization(None, 3, 0)(x)[0, 0], -2 / 1e-7, rtol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        Rescaling(1 / 127.5, -1, dtype="float64"),
        Rescaling([1, 2, 3, 4], offset=[0, 1, 0, 1], dtype="float64"),
        Normalization(mean=[1, 2, 3, 4], variance=[1, 4, 9, 16], dtype="float64"),
        Normalization((1, 2), mean=[1, 2, 3, 4], variance=[1, 4, 9, 16], invert=True, dtype="float64"),
    ],
)
def test_gradients(layer):
    check_layer(layer, X[:4], linear=("x",)).raise_if_failed()
    check_parts(layer, X[:4]).raise_if_failed()
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


def test_mean_and_variance_are_shown_as_they_broadcast():
    layer = Normalization((1, 3))
    assert layer.mean is None
    layer.adapt(np.random.default_rng(0).random((5, 2, 3, 4)))
    assert layer.mean.shape == layer.variance.shape == (1, 2, 1, 4)
    given = Normalization(1, mean=2.0, variance=3.0)
    given.build((None, 3, 4))
    np.testing.assert_array_equal(given.mean.numpy(), np.full((1, 3, 1), 2))


def test_a_mean_that_was_shown_stays_when_adapt_finds_another():
    layer = Normalization()
    layer.adapt(np.ones((3, 2)))
    mean, variance = layer.mean, layer.variance
    layer.adapt(np.array([[1.0, 5.0], [3.0, 9.0]]))
    assert mean.tolist() == [[1.0, 1.0]] and variance.tolist() == [[0.0, 0.0]]


def test_rescaling():
    np.testing.assert_allclose(Rescaling(1 / 255)(np.array([[0, 51, 255]], "uint8")), [[0, 0.2, 1]], rtol=1e-6)
    with pytest.raises(ValueError, match="scale must be a number, or one for each feature"):
        Rescaling([1, 2])(np.ones((3, 3)))


def test_one_number_for_each_sample_as_in_a_regression():
    horsepower = np.linspace(50, 200, 30)
    normalizer = Normalization(input_shape=[1], axis=None)
    normalizer.adapt(horsepower)
    model = Sequential([normalizer, Dense(1)])
    model.compile(SGD(0.1), "mse")
    history = model.fit(horsepower, horsepower / 100, epochs=20, verbose=0).history["loss"]
    assert history[-1] < 0.1 * history[0]
    assert len(model.trainable_variables) == 2


def test_a_file_keeps_what_adapt_has_found(tmp_path):
    layer = Normalization()
    layer.adapt(X)
    model = Sequential([Input((3, 4)), layer])
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        load_model(tmp_path / "model.keras").predict(X, verbose=0), model.predict(X, verbose=0)
    )
    assert [w.name for w in layer.weights] == ["mean", "variance", "count"]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="given both, or neither"):
        Normalization(mean=1)
    with pytest.raises(ValueError, match="must have one shape with at most as many axes"):
        Normalization(None, [1, 2], [1, 2])
    with pytest.raises(ValueError, match="axis .* is not an axis"):
        Normalization(3)(np.ones((2, 3)))
    with pytest.raises(ValueError, match="must have a size"):
        Normalization()(Input((3, None)))
    layer = Normalization()
    layer.adapt(X)
    with pytest.raises(ValueError, match=r"is made for \(4,\)"):
        layer(np.ones((2, 3)))
    with pytest.raises(ValueError, match="nothing to adapt"):
        Normalization(mean=1, variance=1).adapt(X)
    with pytest.raises(ValueError, match="given no data"):
        layer.adapt([])
    with pytest.raises(TypeError, match="adapt takes an array or batches"):
        layer.adapt(3)
