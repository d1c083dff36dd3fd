import numpy as np
import pytest

from scratchnet import layers, models
from scratchnet.gradient_check import check_layer
from scratchnet.layers import ReversibleEmbedding

F64 = {"dtype": "float64"}
TOKENS = np.array([[1, 4, 0], [2, 2, 0]])


def tied(**options):
    """Tokens to vectors, a layer between, and back to scores by the same matrix."""
    embedding = ReversibleEmbedding(5, 3, **options, **F64)
    tokens = layers.Input((3,), dtype="int32")
    h = layers.Dense(3, activation="tanh", **F64)(embedding(tokens))
    return models.Model(tokens, embedding(h, reverse=True)), embedding


@pytest.mark.parametrize("options", [{}, {"tie_weights": False}, {"logit_soft_cap": 0.7}, {"trainable": False}])
def test_gradients_of_both_uses_add_up(options):
    model, embedding = tied(**options)
    for w in model.params.values():
        w[...] = np.random.default_rng(0).standard_normal(w.shape)
    check_layer(model, TOKENS).raise_if_failed()
    assert model.output_shape == (None, 3, 5)


def test_scores_are_those_of_keras():
    embedding = ReversibleEmbedding(4, 2, logit_soft_cap=2.0, **F64)
    embedding.build()
    W = np.arange(8.0).reshape(4, 2) / 4
    embedding.set_weights([W])
    h = np.array([[1.0, -0.5]])
    np.testing.assert_allclose(embedding(h, reverse=True), 2 * np.tanh(h @ W.T / 2))
    np.testing.assert_array_equal(embedding(np.array([3, 0])), W[[3, 0]])
    dx, grads = embedding.backward(np.ones((1, 4)), embedding.forward(h, reverse=True)[1], needs_dx=False)
    assert dx is None and grads["embeddings"].shape == (4, 2)


def test_a_mask_goes_with_the_vectors_and_not_with_the_scores():
    embedding = ReversibleEmbedding(5, 3, mask_zero=True)
    h = embedding(TOKENS)
    np.testing.assert_array_equal(h._keras_mask, TOKENS != 0)
    assert embedding(np.asarray(h), reverse=True)._keras_mask is None


def test_a_language_model_learns_with_tied_weights():
    tokens = layers.Input((4,), dtype="int32")
    embedding = ReversibleEmbedding(6, 8)
    scores = embedding(layers.LSTM(8, return_sequences=True)(embedding(tokens)), reverse=True)
    model = models.Model(tokens, layers.Softmax()(scores))
    model.compile("adam", "sparse_categorical_crossentropy")
    x = np.arange(32).reshape(8, 4) % 6
    losses = model.fit(x, (x + 1) % 6, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_configured_and_refused():
    layer = ReversibleEmbedding(5, 3, False, logit_soft_cap=30.0, reverse_dtype="float32")
    assert ReversibleEmbedding.from_config(layer.get_config()).get_config() == layer.get_config()
    layer.build()
    assert [w.shape for w in layer.weights] == [(5, 3), (3, 5)]
    with pytest.raises(ValueError, match=r"expected an input of shape \(..., 3\), got \(2, 4\): D is 4"):
        layer(np.ones((2, 4)), reverse=True)
    with pytest.raises(ValueError, match="reverse_dtype must be the layer's own, float32, got 'float64'"):
        ReversibleEmbedding(5, 3, reverse_dtype="float64")
    with pytest.raises(ValueError, match="logit_soft_cap must be a number above 0"):
        ReversibleEmbedding(5, 3, logit_soft_cap=0)
