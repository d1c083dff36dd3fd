"""Embedding: rows of a table, the gradient of those that were looked up, masks, integers that stay whole."""

import numpy as np
import pytest

from scratchnet import kernels
from scratchnet.gradient_check import numeric_gradient, relative_error
from scratchnet.layers import LSTM, Dense, Embedding, Flatten, Input
from scratchnet.models import Sequential

TOKENS = np.array([[1, 3, 3], [0, 1, 4]])
BACKENDS = ["loops", "numpy", *["numba"] * kernels.numba_is_installed()]


def test_each_token_is_its_row():
    layer = Embedding(5, 2)
    np.testing.assert_array_equal(layer(TOKENS), layer.params["embeddings"][TOKENS])
    assert layer(TOKENS.astype("float32")).shape == (2, 3, 2)
    assert [w.name for w in layer.weights] == ["embeddings"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_rows_that_are_looked_up_twice_get_the_sum(backend):
    layer = Embedding(5, 2, dtype="float64")
    layer.build((None, 3))
    dy = np.random.default_rng(0).standard_normal((2, 3, 2))
    with kernels.using_backend(backend):
        _, grads = layer.backward(dy, layer.forward(TOKENS)[1])
    table = layer.params["embeddings"]
    numeric = numeric_gradient(lambda: float((layer.forward(TOKENS)[0] * dy).sum()), table, 1.0)
    assert relative_error(numeric, grads["embeddings"]) < 1e-12
    assert (grads["embeddings"][2] == 0).all()


def test_tokens_outside_of_the_table_are_refused():
    with pytest.raises(ValueError, match="token 5 is outside of 0 to 4"):
        Embedding(5, 2)(np.array([[5]]))
    with pytest.raises(ValueError, match="token -1"):
        Embedding(5, 2)(np.array([[-1]]))


def test_zero_can_be_padding():
    layer = Embedding(5, 2, mask_zero=True)
    np.testing.assert_array_equal(layer.compute_mask(TOKENS), TOKENS != 0)
    assert layer(Input((3,), dtype="int32")).masked and not Embedding(5, 2)(Input((3,))).masked


def test_weights_can_be_given():
    table = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(Embedding(3, 2, weights=[table])(np.array([[2]])), [[[4, 5]]])


def test_a_model_learns_its_table_and_keeps_large_tokens_whole():
    model = Sequential([Input((2,), dtype="int32"), Embedding(20_000_000, 1, "zeros", trainable=False), Flatten()])
    model.layers[0].params["embeddings"][16_777_217] = 7  # 2^24 + 1, which float32 cannot tell from 2^24
    assert model.predict(np.array([[16_777_217, 16_777_216]]), verbose=0).tolist() == [[7, 0]]
    rng = np.random.default_rng(1)
    x = rng.integers(0, 10, (200, 4))
    model = Sequential([Embedding(10, 3), LSTM(4), Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy")
    history = model.fit(x, (x[:, 0] > 4) * 1.0, epochs=8, verbose=0).history["loss"]
    assert history[-1] < history[0]
