import numpy as np
import pytest

from scratchnet import layers, models
from scratchnet.gradient_check import check_layer
from scratchnet.initializers import Constant
from scratchnet.layers import Conv2D, Dense, Embedding, SpectralNormalization

F64 = {"dtype": "float64"}
RNG = np.random.default_rng(5)


def norm(kernel):
    return np.linalg.norm(np.reshape(kernel, (-1, kernel.shape[-1])), 2)


def test_a_kernel_of_ones_is_divided_by_its_norm():
    layer = SpectralNormalization(Conv2D(1, 2, kernel_initializer=Constant(1)), power_iterations=8)
    images = np.ones((1, 2, 2, 1))
    assert layer(images, training=False).item() == pytest.approx(4)
    assert layer(images, training=True).item() == pytest.approx(2)  # the norm of four ones
    assert layer(images).item() == pytest.approx(2)  # it stays
    assert [w.name for w in layer.weights] == ["kernel", "vector_u", "bias"]
    assert [w.name for w in layer.non_trainable_variables] == ["vector_u"]


@pytest.mark.parametrize("power_iterations", [1, 3])
def test_the_norm_comes_to_one_step_by_step(power_iterations):
    layer = SpectralNormalization(Dense(4, **F64), power_iterations, **F64)
    x = RNG.standard_normal((2, 6))
    for _ in range(40):
        layer(x, training=True)
    assert norm(layer.layer.params["kernel"]) == pytest.approx(1, abs=1e-4)


def test_forward_changes_nothing_and_the_gradient_is_that_at_the_normalized_kernel():
    layer = SpectralNormalization(Dense(3, activation="tanh", **F64), 2, **F64)
    x = RNG.standard_normal((4, 5))
    layer.ensure_built(x.shape)
    W, u = layer.params["kernel"].copy(), layer.state["vector_u"].copy()
    y, cache = layer.forward(x, training=True)
    np.testing.assert_array_equal(layer.params["kernel"], W)
    np.testing.assert_array_equal(layer.state["vector_u"], u)
    dy = RNG.standard_normal(y.shape)
    dx, grads = layer.backward(dy, cache)
    plain = Dense(3, activation="tanh", **F64)
    plain.ensure_built(x.shape)
    plain.set_weights([cache.W_bar, layer.params["bias"]])
    expected, plain_cache = plain.forward(x)
    np.testing.assert_array_equal(y, expected)
    plain_dx, plain_grads = plain.backward(dy, plain_cache)
    np.testing.assert_array_equal(dx, plain_dx)
    assert all(np.array_equal(grads[key], plain_grads[key]) for key in plain_grads)
    check_layer(layer, x).raise_if_failed()


def test_what_the_optimizer_does_is_added_to_the_normalized_kernel():
    def step(with_optimizer):
        made = SpectralNormalization(Dense(2, use_bias=False, kernel_initializer=Constant([[3.0, 1.0], [0.5, 2.0]])))
        model = models.Sequential([layers.Input((2,)), made])
        model.compile("sgd", "mse")
        made.state["vector_u"][...] = [[1.0, 0.5]]
        W_bar, _ = made.normalized()
        if with_optimizer:
            model.train_on_batch(np.ones((1, 2)), np.zeros((1, 2)))
        return W_bar, made.params["kernel"].copy()

    W_bar, kernel = step(True)
    y = W_bar.sum(axis=0)
    np.testing.assert_allclose(kernel, W_bar - 0.01 * y * np.ones((2, 1)), rtol=1e-5)


def test_embeddings_and_what_has_neither():
    layer = SpectralNormalization(Embedding(7, 3))
    tokens = np.array([[1, 2], [6, 0]])
    assert layer(tokens, training=True).shape == (2, 2, 3)
    assert [w.name for w in layer.weights] == ["embeddings", "vector_u"]
    with pytest.raises(ValueError, match='the layer "r" has neither a kernel nor embeddings'):
        SpectralNormalization(layers.ReLU(name="r"))(np.ones((4, 2)))
    with pytest.raises(ValueError, match="power_iterations must be a positive integer, got 0"):
        SpectralNormalization(Dense(2), power_iterations=0)
    with pytest.raises(TypeError, match="expected a layer"):
        SpectralNormalization(3)


def test_a_kernel_of_zeros_stays():
    layer = SpectralNormalization(Dense(2, kernel_initializer="zeros"))
    assert not layer(np.ones((1, 3)), training=True).any()


def test_saved_and_loaded(tmp_path):
    x = RNG.standard_normal((4, 6, 6, 2)).astype("float32")
    inner = Conv2D(3, 2, activation="relu", kernel_regularizer="l2", activity_regularizer=None)
    model = models.Sequential([layers.Input((6, 6, 2)), SpectralNormalization(inner), layers.Flatten(), Dense(1)])
    model.compile("adam", "mse")
    losses = model.fit(x, np.ones(4), epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "m.npz")
    loaded = models.load_model(tmp_path / "m.npz")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    assert loaded.layers[0].power_iterations == 1
